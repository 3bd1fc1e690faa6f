import { type AvroJson, type AvroObject, avroSchemaOfContract, fieldsWithoutAvroName } from '../contracts/avro-schema-of-contract.ts';
import type { Contract } from '../contracts/contract.ts';
import { pathsOf } from '../contracts/field-plan.ts';
import { nextAvroVersion } from '../contracts/next-avro-version.ts';
import type { Feed } from '../domain/feeds.ts';
import { readFields } from '../encodings/avro/read-fields.ts';
import type { SchemaRegistry, SubjectVersion } from '../sources/registry/schema-registry.ts';
import { compareFields, type RegistryFinding } from './compare-fields.ts';

/** What `contract check --registry` found for one feed. */
export interface CheckedSubject {
  readonly feed: Feed;
  readonly subject: string;
  /** The latest one; null where nothing is registered. */
  readonly version: number | null;
  readonly id: number | null;
  readonly findings: readonly RegistryFinding[];
  /** That the contract implies: what may be registered where nothing is. */
  readonly schema: AvroObject;
}

/**
 * Compares contracts with the schemas that messages of their feeds are written with: whether each field can be read, and whether the registry
 * would let the schema be what the contract asks for. Throws where the registry cannot be asked.
 */
export async function checkRegistry(registry: SchemaRegistry, contracts: readonly Contract[], subjects: ReadonlyMap<Feed, string>): Promise<CheckedSubject[]> {
  const checked: CheckedSubject[] = [];
  for (const contract of contracts) {
    const subject = subjects.get(contract.feed);
    if (subject !== undefined) checked.push(await checkSubject(registry, contract, subject));
  }
  return checked;
}

async function checkSubject(registry: SchemaRegistry, contract: Contract, subject: string): Promise<CheckedSubject> {
  const schema = avroSchemaOfContract(contract);
  const unnamed = fieldsWithoutAvroName(contract).map(({ name }) => finding(name, false, 'it has a name that no field of an Avro record can have'));
  const latest = await registry.latest(subject);
  if (latest === undefined) return { feed: contract.feed, subject, version: null, id: null, findings: unnamed, schema };
  const findings =
    latest.format === 'AVRO' ? await checkLatest(registry, contract, schema, latest) : [finding('', true, `the latest version is ${latest.format}, not Avro`)];
  return { feed: contract.feed, subject, version: latest.version, id: latest.id, findings: [...unnamed, ...findings], schema };
}

async function checkLatest(
  registry: SchemaRegistry,
  contract: Contract,
  schema: AvroObject,
  { subject, text, written }: SubjectVersion,
): Promise<readonly RegistryFinding[]> {
  const read = readFields(text, contract.fields.map(pathsOf));
  if ('problem' in read) return [finding('', true, `messages of the latest version cannot be read: ${read.problem}`)];
  const { findings, refused } = compareFields(contract, read);
  const next = nextAvroVersion(JSON.parse(written.text) as AvroJson, schema, refused);
  const answer = next === undefined ? undefined : await registry.compatibility(subject, JSON.stringify(next), written.references);
  if (answer === undefined || answer.isCompatible === true) return findings;
  const why = answer.messages.length === 0 ? '' : `: ${answer.messages.map((message) => message.trim()).join('; ')}`;
  if (answer.isCompatible === null)
    return [...findings, finding('', false, `the registry cannot tell whether the latest version may become what the contract asks for${why}`)];
  return [...findings, finding('', true, `the registry does not let the latest version become what the contract asks for${why}`)];
}

function finding(field: string, breaks: boolean, message: string): RegistryFinding {
  return { field, breaks, message };
}
