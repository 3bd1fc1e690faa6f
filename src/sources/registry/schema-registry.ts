import type { SchemaSource, WriterSchema } from '../../encodings/messages.ts';
import { linkReferences, type ReferringSchema } from './link-references.ts';
import { type Patience, PatientRegistry } from './patient-registry.ts';
import { type RegisteredSchema, readCompatibility, readId, readSchema, readVersion, readVersions, type SchemaReference } from './registry-answers.ts';
import type { RegistryAddress, RegistryAnswer } from './registry-connection.ts';
import { SchemaCache } from './schema-cache.ts';

export interface RegistryOptions extends RegistryAddress {
  /** Whose versions messages without an id may have been written with. */
  readonly subjects?: readonly string[];
  readonly patience?: Partial<Patience>;
}

/** A version of a subject. */
export interface SubjectVersion extends WriterSchema {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  /** As it was registered: types of other subjects do not stand in it. */
  readonly written: Pick<RegisteredSchema, 'text' | 'references'>;
}

export interface Compatibility {
  /** Null where the registry cannot tell. */
  readonly isCompatible: boolean | null;
  /** Why not, in the registry's words. */
  readonly messages: readonly string[];
}

/** Codes of the API for what is not there. A 404 without one comes from something that is no registry. */
const NOT_THERE = new Set([40401, 40402, 40403]);
/** Ids are Java's positive ints: with another one the API does not even find the right answer. */
const LARGEST_ID = 2 ** 31 - 1;
const MAX_REFERENCES = 200;
/** A schema that is registered now is among the candidates so much later. */
const LISTED_MILLIS = 5_000;

/**
 * Client of a schema registry that speaks Confluent's API. What an id or a version means never changes, so what was learned once is not
 * asked again. A schema that does not exist is an answer (undefined); where there is no answer, `registry_failed` is thrown.
 */
export class SchemaRegistry implements SchemaSource {
  private readonly registry: PatientRegistry;
  private readonly subjects: readonly string[];
  private readonly cache = new SchemaCache<WriterSchema>();
  private readonly versionCache = new SchemaCache<SubjectVersion>();
  private listed: { readonly until: number; readonly schemas: Promise<readonly WriterSchema[]> } | undefined;

  constructor({ subjects = [], patience, ...address }: RegistryOptions) {
    this.registry = new PatientRegistry(address, patience);
    this.subjects = subjects;
  }

  async byId(id: number): Promise<WriterSchema | undefined> {
    if (!Number.isInteger(id) || id < 0 || id > LARGEST_ID) return undefined;
    return this.cache.get(String(id), async () => {
      const answer = await this.get(`/schemas/ids/${id}`);
      return answer === undefined ? undefined : this.link(this.understood(readSchema, answer));
    });
  }

  candidates(): Promise<readonly WriterSchema[]> {
    if (this.listed !== undefined && this.listed.until > performance.now()) return this.listed.schemas;
    const listed = { until: performance.now() + LISTED_MILLIS, schemas: this.listCandidates() };
    this.listed = listed;
    listed.schemas.catch(() => {
      if (this.listed === listed) this.listed = undefined;
    });
    return listed.schemas;
  }

  /** The versions of a subject, oldest first; undefined where there is no such subject. */
  async versions(subject: string): Promise<readonly number[] | undefined> {
    const answer = await this.get(`/subjects/${encodeURIComponent(subject)}/versions`);
    return answer && this.understood(readVersions, answer);
  }

  version(subject: string, version: number): Promise<SubjectVersion | undefined> {
    return this.versionCache.get(`${version} ${subject}`, () => this.fetchVersion(subject, version));
  }

  latest(subject: string): Promise<SubjectVersion | undefined> {
    return this.fetchVersion(subject, 'latest');
  }

  /** The id of the schema, which may have been there before. Registering it again changes nothing. */
  async register(subject: string, text: string): Promise<number> {
    const answer = await this.registry.ask('POST', `/subjects/${encodeURIComponent(subject)}/versions`, JSON.stringify({ schema: text }));
    return this.understood(readId, this.requireGood(answer));
  }

  /**
   * Whether the schema may follow the latest version, by the rule that the registry has for the subject. Undefined: there is no such
   * subject. `references`: of the types that the schema names and does not hold.
   */
  async compatibility(subject: string, text: string, references: readonly SchemaReference[] = []): Promise<Compatibility | undefined> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
    const answer = await this.registry.ask('POST', path, JSON.stringify({ schema: text, ...(references.length > 0 ? { references } : {}) }));
    if (isNotThere(answer)) return undefined;
    // Apicurio 3.0 so answers whatever is compared with a schema that has references.
    if (answer.status === 422) return { isCompatible: null, messages: [messageOf(answer).replace(/^: /, '')] };
    return this.understood(readCompatibility, this.requireGood(answer));
  }

  /** What is asked at the moment fails. */
  close(): void {
    this.registry.close();
  }

  private async listCandidates(): Promise<readonly WriterSchema[]> {
    const schemas: WriterSchema[] = [];
    for (const subject of this.subjects) {
      for (const number of (await this.versions(subject)) ?? []) {
        const found = await this.version(subject, number);
        if (found !== undefined) schemas.push(found);
      }
    }
    return schemas;
  }

  private async fetchVersion(subject: string, version: number | 'latest'): Promise<SubjectVersion | undefined> {
    const answer = await this.get(`/subjects/${encodeURIComponent(subject)}/versions/${version}`);
    if (answer === undefined) return undefined;
    const found = this.understood(readVersion, answer);
    const { id, text, references } = found;
    return { subject: found.subject, version: found.version, id, written: { text, references }, ...(await this.link(found)) };
  }

  private async link({ format, text, references }: RegisteredSchema): Promise<WriterSchema> {
    if (references.length === 0 || format !== 'AVRO') return { format, text };
    return { format, text: linkReferences({ text, references: await this.follow(references, new Set()) }) };
  }

  /** Each referred version once, however often it is named. */
  private async follow(references: readonly SchemaReference[], seen: Set<string>): Promise<ReferringSchema[]> {
    const followed: ReferringSchema[] = [];
    for (const { subject, version } of references) {
      const key = `${version} ${subject}`;
      if (seen.has(key) || seen.size >= MAX_REFERENCES) continue;
      seen.add(key);
      const answer = await this.get(`/subjects/${encodeURIComponent(subject)}/versions/${version}`);
      // Without it the schema cannot be read, which is said where it is compiled.
      if (answer === undefined) continue;
      const found = this.understood(readVersion, answer);
      followed.push({ text: found.text, references: await this.follow(found.references, seen) });
    }
    return followed;
  }

  /** Undefined: it is not there. */
  private async get(path: string): Promise<RegistryAnswer | undefined> {
    const answer = await this.registry.ask('GET', path);
    return isNotThere(answer) ? undefined : this.requireGood(answer);
  }

  private requireGood(answer: RegistryAnswer): RegistryAnswer {
    const { status } = answer;
    if (status === 200) return answer;
    if (status === 401 || status === 403) {
      throw this.registry.failed(
        `does not let us in: it answers ${status}`,
        'Set registry.username and registry.password to those of a user that may read its subjects.',
      );
    }
    if (status >= 300 && status < 400) throw this.registry.failed(`answers ${status} and is elsewhere`, 'Set registry.url to where it is.');
    if (status === 404)
      throw this.registry.failed(
        'answers 404, as something that is no registry',
        'Set registry.url to the address of its API, with the path before /subjects.',
      );
    throw this.registry.failed(`refuses: it answers ${status}${messageOf(answer)}`);
  }

  private understood<T>(read: (body: unknown) => T | undefined, { body }: RegistryAnswer): T {
    const found = read(parsed(body));
    if (found === undefined)
      throw this.registry.failed('does not answer as one', 'Set registry.url to the address of its API, with the path before /subjects.');
    return found;
  }
}

function isNotThere({ status, body }: RegistryAnswer): boolean {
  if (status !== 404) return false;
  const code = (parsed(body) as { readonly error_code?: unknown } | null | undefined)?.error_code;
  return typeof code === 'number' && NOT_THERE.has(code);
}

function messageOf({ body }: RegistryAnswer): string {
  const message = (parsed(body) as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? `: ${message.slice(0, 300)}` : '';
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
