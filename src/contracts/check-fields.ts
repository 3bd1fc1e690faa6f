import type { Feed } from '../domain/feeds.ts';
import type { ContractField } from './contract.ts';
import type { ContractFile, Place } from './contract-file.ts';
import { NEEDED_COLUMNS, type NeededColumn, REFERENCE_KEYS, RESERVED_COLUMNS, SQL_WORDS } from './feed-columns.ts';
import type { ReadField } from './read-property.ts';

/** The rules between a contract's fields, and between them and what the product needs. What is wrong goes to `file.faults`. */
export function checkFields(file: ContractFile, feed: Feed, fields: readonly ReadField[], schemaPlace: Place): void {
  checkNames(file, fields);
  checkColumns(file, feed, fields);
  checkNeeded(file, feed, fields, schemaPlace);
  checkPrimaryKey(file, feed, fields, schemaPlace);
}

function checkNames(file: ContractFile, fields: readonly ReadField[]): void {
  const owners = new Map<string, string>();
  const all: { readonly name: string; readonly owner: ReadField }[] = [];
  for (const read of fields) {
    for (const name of [read.field.name, ...read.field.aliases]) {
      const owner = owners.get(name);
      if (owner !== undefined) file.fault(read.place, `the name ${name} is already that of ${owner}; every name and alias may be used once`);
      owners.set(name, read.field.name);
      all.push({ name, owner: read });
    }
  }
  // A name that is both a value and an object around other values could mean either.
  for (const { name, owner } of all) {
    const inside = all.find((other) => other.name.startsWith(`${name}.`));
    if (inside) file.fault(owner.place, `${name} is a single value here, but ${inside.name} needs it to be an object`);
  }
}

function checkColumns(file: ContractFile, feed: Feed, fields: readonly ReadField[]): void {
  const needed = new Set(NEEDED_COLUMNS[feed].map(({ column }) => column));
  const owners = new Map<string, string>();
  for (const { field, place } of fields) {
    const { column, name } = field;
    const owner = owners.get(column);
    if (owner !== undefined) file.fault(place, `the column ${column} is already that of ${owner}; give one of them another with the custom property column`);
    owners.set(column, name);
    if (needed.has(column)) continue;
    if (RESERVED_COLUMNS.has(column))
      file.fault(place, `the column ${column} is one that the product writes itself; give the field another with the custom property column`);
    if (SQL_WORDS.has(column)) file.fault(place, `the column ${column} is a word of SQL; give the field another with the custom property column`);
  }
}

function checkNeeded(file: ContractFile, feed: Feed, fields: readonly ReadField[], schemaPlace: Place): void {
  for (const needed of NEEDED_COLUMNS[feed]) {
    const read = fields.find(({ field }) => field.column === needed.column);
    if (!read) {
      file.fault(
        schemaPlace,
        `the field for the column ${needed.column} (${needed.type}) is missing; models need it. Bring it back, optional if it may be empty`,
      );
      continue;
    }
    const wrong = wrongAbout(read.field, needed);
    if (wrong) file.fault(read.place, `${wrong}; models need the column ${needed.column} so`);
  }
}

function wrongAbout(field: ContractField, needed: NeededColumn): string | undefined {
  // A list of allowed words is a tighter text, stored alike.
  const fits = field.type === needed.type || (needed.type === 'text' && field.type === 'enum');
  if (!fits) return `expected fieldType ${needed.type}, not ${field.type}`;
  if (needed.required && !field.required) return 'expected required: true';
  if (needed.mustBePresent && !field.mustBePresent && !field.required) return 'expected the custom property mustBePresent: true (or required: true)';
  const unknown = needed.values && field.values?.find((value) => !needed.values?.includes(value));
  if (unknown !== undefined) return `expected only ${needed.values?.join(', ')} in validValues, not ${unknown}`;
  if (needed.minimum !== undefined && (field.minimum ?? Number.NEGATIVE_INFINITY) < needed.minimum) return 'expected exclusiveMinimum: 0';
  return undefined;
}

function checkPrimaryKey(file: ContractFile, feed: Feed, fields: readonly ReadField[], schemaPlace: Place): void {
  const keyed = fields.filter(({ keyPosition }) => keyPosition !== undefined).sort((one, other) => (one.keyPosition ?? 0) - (other.keyPosition ?? 0));
  const expected = REFERENCE_KEYS[feed] ?? [];
  const columns = keyed.map(({ field }) => field.column);
  if (columns.length === 0 || columns.join() === expected.join()) return;
  const rule =
    expected.length === 0
      ? 'events are told apart as SEMANTICS says, not by a primaryKey; remove it'
      : `expected primaryKey on ${expected.join(', ')}, in this order`;
  file.fault(keyed[0]?.place ?? schemaPlace, rule);
}
