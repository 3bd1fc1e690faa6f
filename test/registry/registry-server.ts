import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import avro from 'avsc';

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface Registered {
  readonly id: number;
  readonly schema: string;
  readonly schemaType: string | undefined;
  readonly references: readonly Reference[] | undefined;
}

/** Answers in place of the registry; false: it does not, this time. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry in memory, behind a real server: the part of Confluent's API that readers use, with faults on demand. */
export class RegistryServer {
  /** `GET /schemas/ids/1` of each request that came. */
  readonly requests: string[] = [];
  /** Of those that had one. */
  readonly bodies: string[] = [];
  /** Asked before each answer, the first one first; one that has answered is gone. */
  faults: Fault[] = [];
  /** In place of everything, while it is set. */
  outage: Fault | undefined;
  credentials: string | undefined;
  private readonly server: Server;
  private readonly subjects = new Map<string, Registered[]>();
  private readonly scheme: string;
  private ids = 0;

  private constructor(tls: { readonly cert: string; readonly key: string } | undefined) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.handle(request, response);
    this.scheme = tls === undefined ? 'http' : 'https';
    this.server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<RegistryServer> {
    const registry = new RegistryServer(tls);
    await new Promise<void>((resolve) => registry.server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get url(): string {
    return `${this.scheme}://localhost:${this.port}`;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  add(subject: string, schema: unknown, more: { readonly schemaType?: string; readonly references?: readonly Reference[] } = {}): number {
    const versions = this.subjects.get(subject) ?? [];
    this.subjects.set(subject, versions);
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
    const before = versions.find((version) => version.schema === text);
    if (before !== undefined) return before.id;
    versions.push({ id: ++this.ids, schema: text, schemaType: more.schemaType, references: more.references });
    return this.ids;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    let body = '';
    for await (const part of request) body += String(part);
    if (body !== '') this.bodies.push(body);
    if (this.outage?.(request, response)) return;
    if (this.faults.shift()?.(request, response)) return;
    if (this.credentials !== undefined && request.headers.authorization !== `Basic ${Buffer.from(this.credentials).toString('base64')}`) {
      send(response, 401, { error_code: 401, message: 'Unauthorized' });
      return;
    }
    this.answer(String(request.method), String(request.url).split('?')[0] as string, body, response);
  }

  private answer(method: string, path: string, body: string, response: ServerResponse): void {
    const parts = path.split('/').slice(1).map(decodeURIComponent);
    if (method === 'GET' && parts[0] === 'schemas') {
      const found = [...this.subjects.values()].flat().find(({ id }) => id === Number(parts[2]));
      if (found === undefined) send(response, 404, { error_code: 40403, message: `Schema ${parts[2]} not found` });
      else send(response, 200, { schema: found.schema, schemaType: found.schemaType, references: found.references });
      return;
    }
    const subject = parts[0] === 'compatibility' ? (parts[2] as string) : (parts[1] as string);
    const versions = this.subjects.get(subject);
    if (method === 'POST' && parts[0] === 'subjects') {
      send(response, 200, { id: this.add(subject, (JSON.parse(body) as { schema: string }).schema) });
    } else if (versions === undefined) {
      send(response, 404, { error_code: 40401, message: `Subject '${subject}' not found.` });
    } else if (method === 'POST') {
      send(response, 200, compare((JSON.parse(body) as { schema: string }).schema, (versions.at(-1) as Registered).schema));
    } else if (parts.length === 3) {
      send(
        response,
        200,
        Array.from(versions.keys(), (index) => index + 1),
      );
    } else {
      const number = parts[3] === 'latest' ? versions.length : Number(parts[3]);
      const version = versions[number - 1];
      if (version === undefined) send(response, 404, { error_code: 40402, message: 'Version not found.' });
      else send(response, 200, { subject, version: number, ...version });
    }
  }
}

export function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): true {
  response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
  return true;
}

/** Whether the first schema reads what was written with the second: by another library's rules of resolution. */
function compare(reader: string, writer: string): { readonly is_compatible: boolean; readonly messages: readonly string[] } {
  try {
    const typeOf = (text: string) => avro.Type.forSchema(JSON.parse(text) as avro.Schema, { wrapUnions: true, noAnonymousTypes: false } as never);
    typeOf(reader).createResolver(typeOf(writer));
    return { is_compatible: true, messages: [] };
  } catch (error) {
    return { is_compatible: false, messages: [(error as Error).message] };
  }
}
