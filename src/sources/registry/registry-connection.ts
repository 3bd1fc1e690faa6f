import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent as HttpsAgent, request as requestSecure } from 'node:https';

/** Where a registry is, and how it is asked. */
export interface RegistryAddress {
  /** Of its API: `https://registry.example:8081`, or with a path before that of the API. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM: whom its certificate may be from, in place of the authorities that the system trusts. */
  readonly ca?: string | undefined;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** What a registry says in one answer is never more. */
const MAX_ANSWER_BYTES = 16_777_216;
const CONNECTIONS = 8;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * Asks a registry over HTTP, one question at a time on each of a few connections that are kept. It is not fetch, which cannot be told
 * whose certificates to trust without another library. Redirects are not followed: they could lead the password elsewhere.
 */
export class RegistryConnection {
  private readonly base: URL;
  private readonly agent: HttpAgent;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly request: typeof requestPlain;

  constructor({ url, username, password, ca }: RegistryAddress) {
    this.base = new URL(url);
    const isSecure = this.base.protocol === 'https:';
    const pool = { keepAlive: true, maxSockets: CONNECTIONS };
    this.agent = isSecure ? new HttpsAgent({ ...pool, ...(ca === undefined ? {} : { ca }) }) : new HttpAgent(pool);
    this.request = isSecure ? requestSecure : requestPlain;
    const authorization = username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
    this.headers = { accept: `${CONTENT_TYPE}, application/json`, ...(authorization === undefined ? {} : { authorization }) };
  }

  /** Rejects where there is no whole answer before the signal; an error of it says so. */
  ask(method: 'GET' | 'POST', path: string, body: string | undefined, signal: AbortSignal): Promise<RegistryAnswer> {
    return new Promise((resolve, reject) => {
      const target = new URL(this.base);
      const [pathname = '', search = ''] = path.split('?');
      target.pathname = `${target.pathname.replace(/\/+$/, '')}${pathname}`;
      target.search = search;
      const headers = body === undefined ? this.headers : { ...this.headers, 'content-type': CONTENT_TYPE, 'content-length': String(Buffer.byteLength(body)) };
      const asked: ClientRequest = this.request(target, { method, headers, agent: this.agent, signal }, (answer) => {
        readBody(answer).then(
          (text) => resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'], body: text }),
          (error: unknown) => {
            asked.destroy();
            reject(error);
          },
        );
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  if (!answer.complete) throw new Error('its answer ends early');
  return Buffer.concat(parts).toString('utf8');
}
