import type { Settings } from '../../config/settings.ts';
import type { SchemaRegistry } from '../../sources/registry/schema-registry.ts';
import { openRegistry } from '../open-registry.ts';

/** Registers a schema under a subject, or finds it there, and gives its id. */
export type RegisterSchema = (subject: string, schema: string) => Promise<number>;

/** Confluent's wire format: a zero, the id of the schema in four bytes, the record. */
export function frame(schemaId: number, record: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(5 + record.length);
  framed[0] = 0;
  framed.writeUInt32BE(schemaId, 1);
  framed.set(record, 5);
  return framed;
}

/** By the registry that the settings name; it is looked for once there is a schema. */
export function openRegistrar(settings: Settings['registry']): RegisterSchema {
  let registry: SchemaRegistry | undefined;
  return async (subject, schema) => {
    registry ??= openRegistry(settings);
    return registry.register(subject, schema);
  };
}
