import type { Contract, NormalisedRecord } from '../contracts/contract.ts';
import type { KeyHasher } from '../domain/murmur3.ts';

/** A field of a contract by the column it fills: which slot of a normalised record it is, and how its value is held. */
export interface FieldSlot {
  readonly column: string;
  readonly slot: number;
  readonly isText: boolean;
}

const TEXT_TYPES: ReadonlySet<string> = new Set(['id', 'text', 'host', 'enum', 'currency', 'country']);

export function fieldSlots(contract: Contract): ReadonlyMap<string, FieldSlot> {
  return new Map(contract.fields.map((field, slot) => [field.column, { column: field.column, slot, isText: TEXT_TYPES.has(field.type) }]));
}

/** Adds a field to a hash; null differs from empty. */
export function hashField(record: NormalisedRecord, field: FieldSlot, hasher: KeyHasher): void {
  const { slot } = field;
  if (record.present[slot] === 0) hasher.absent();
  else if (field.isText) hasher.text(record.buffers[slot] as Uint8Array, record.starts[slot] as number, record.ends[slot] as number);
  else hasher.number(record.numbers[slot] as number);
}

/** The text of a field that is rarely looked at; null where it is absent. */
export function fieldText(record: NormalisedRecord, field: FieldSlot): string | null {
  if (record.present[field.slot] === 0) return null;
  if (!field.isText) return String(record.numbers[field.slot]);
  return UTF8.decode((record.buffers[field.slot] as Uint8Array).subarray(record.starts[field.slot], record.ends[field.slot]));
}

const UTF8 = new TextDecoder();
