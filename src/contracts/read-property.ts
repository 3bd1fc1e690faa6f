import type { ContractField, ExampleValue, FieldType } from './contract.ts';
import { FIELD_TYPES } from './contract.ts';
import { type ContractFile, isRecord, type Place } from './contract-file.ts';
import { readOptions } from './read-options.ts';

/** The custom properties that say what the standard has no word for. */
const CUSTOM_PROPERTIES = ['fieldType', 'column', 'aliases', 'mustBePresent'] as const;
type CustomProperty = (typeof CUSTOM_PROPERTIES)[number];

/** Field types, each with the standard's logicalType that it is written with. */
const LOGICAL_TYPES: Readonly<Record<FieldType, string>> = {
  id: 'string',
  text: 'string',
  host: 'string',
  enum: 'string',
  currency: 'string',
  country: 'string',
  money: 'number',
  rate: 'number',
  integer: 'integer',
  timestamp: 'timestamp',
  date: 'date',
  boolean: 'boolean',
};

/** Collects the fields of a list of properties, nested objects included, in order. What is wrong goes to `file.faults`. */
export function readProperties(file: ContractFile, properties: unknown, place: Place, parents: readonly string[], fields: ReadField[]): void {
  if (!Array.isArray(properties)) {
    file.fault(place, 'expected a list of properties');
    return;
  }
  for (const [index, property] of properties.entries()) {
    const at = [...place, index];
    if (!isRecord(property)) {
      file.fault(at, 'expected a property with a name');
      continue;
    }
    const name = property['name'];
    if (typeof name !== 'string' || name === '' || name !== name.trim() || name.includes('.')) {
      file.fault([...at, 'name'], 'expected a name without dots and without blanks around it (nest properties for dotted names)');
      continue;
    }
    if (property['logicalType'] === 'object') {
      if (property['required'] === true) file.fault([...at, 'required'], 'an object cannot be required: mark the properties in it instead');
      readProperties(file, property['properties'], [...at, 'properties'], [...parents, name], fields);
    } else {
      const field = readProperty(file, property, at, [...parents, name]);
      if (field) fields.push(field);
    }
  }
}

export interface ReadField {
  readonly field: ContractField;
  readonly place: Place;
  /** Position in the primary key, where the property is part of it. */
  readonly keyPosition: number | undefined;
}

function readProperty(file: ContractFile, property: Record<string, unknown>, place: Place, path: readonly string[]): ReadField | undefined {
  const custom = readCustomProperties(file, property['customProperties'], place);
  const values = readValidValues(file, property['quality'], place);
  const type = readType(file, property['logicalType'], custom.get('fieldType'), values !== undefined, place);
  if (property['unique'] === true) file.fault([...place, 'unique'], 'is not checked: what tells records apart is fixed for each feed. Remove it.');
  if (!type) return undefined;
  if (type === 'enum' && values === undefined) {
    file.fault(place, 'an enum needs its values: quality with metric invalidValues, mustBe 0 and arguments.validValues');
    return undefined;
  }
  if (type !== 'enum' && values !== undefined)
    file.fault([...place, 'quality'], `validValues are checked for an enum only; expected fieldType enum, not ${type}`);
  const name = path.join('.');
  const field: ContractField = {
    name,
    pointer: path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    aliases: readAliases(file, custom.get('aliases')),
    column: readColumn(file, custom.get('column'), path, place),
    type,
    required: property['required'] === true,
    mustBePresent: readFlag(file, custom.get('mustBePresent'), 'mustBePresent'),
    ...(type === 'enum' && values !== undefined ? { values } : {}),
    ...readOptions(file, type, property['logicalTypeOptions'], [...place, 'logicalTypeOptions']),
    ...(typeof property['description'] === 'string' ? { description: property['description'] } : {}),
    ...(Array.isArray(property['examples']) ? { examples: readExamples(file, property['examples'], place) } : {}),
  };
  return { field, place, keyPosition: property['primaryKey'] === true ? Number(property['primaryKeyPosition'] ?? 1) : undefined };
}

function readType(file: ContractFile, logicalType: unknown, fieldType: Custom | undefined, hasValues: boolean, place: Place): FieldType | undefined {
  const logical = String(logicalType ?? '');
  if (fieldType === undefined) {
    if (logical === 'string') return hasValues ? 'enum' : 'text';
    if (logical === 'integer' || logical === 'timestamp' || logical === 'date' || logical === 'boolean') return logical;
    if (logical === 'number') file.fault(place, 'a number needs the custom property fieldType: money (kept in millionths) or rate (in billionths)');
    else
      file.fault(
        [...place, 'logicalType'],
        `expected string, number, integer, boolean, date, timestamp or object, not ${logical === '' ? 'nothing' : logical}`,
      );
    return undefined;
  }
  const type = FIELD_TYPES.find((candidate) => candidate === fieldType.value);
  if (!type) {
    file.fault(fieldType.place, `expected one of ${FIELD_TYPES.join(', ')}, not ${String(fieldType.value)}`);
  } else if (LOGICAL_TYPES[type] !== logical) {
    file.fault([...place, 'logicalType'], `expected ${LOGICAL_TYPES[type]} for fieldType ${type}, not ${logical === '' ? 'nothing' : logical}`);
    return undefined;
  }
  return type;
}

interface Custom {
  readonly value: unknown;
  readonly place: Place;
}

function readCustomProperties(file: ContractFile, list: unknown, place: Place): Map<CustomProperty, Custom> {
  const found = new Map<CustomProperty, Custom>();
  if (!Array.isArray(list)) return found;
  for (const [index, entry] of list.entries()) {
    if (!isRecord(entry) || typeof entry['property'] !== 'string') continue;
    const written = entry['property'];
    const at = [...place, 'customProperties', index];
    const known = CUSTOM_PROPERTIES.find((name) => name === written);
    if (known === undefined) {
      // Clients may keep custom properties of their own here; a slip of the pen must not pass for one of them.
      const meant = CUSTOM_PROPERTIES.find((name) => looselyNamed(name) === looselyNamed(written));
      if (meant) file.fault([...at, 'property'], `expected ${meant}, not ${written}`);
    } else if (found.has(known)) {
      file.fault([...at, 'property'], `${known} is given twice`);
    } else {
      found.set(known, { value: entry['value'], place: [...at, 'value'] });
    }
  }
  return found;
}

function looselyNamed(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace(/(es|s)$/, '');
}

function readColumn(file: ContractFile, custom: Custom | undefined, path: readonly string[], place: Place): string {
  const column = custom === undefined ? path.join('_') : custom.value;
  if (typeof column === 'string' && /^[a-z][a-z0-9_]{0,62}$/.test(column)) return column;
  const hint = custom === undefined ? '; give one with the custom property column' : '';
  file.fault(custom?.place ?? place, `expected a column name of small letters, digits and underscores, not ${String(column)}${hint}`);
  return String(column);
}

function readAliases(file: ContractFile, custom: Custom | undefined): readonly string[] {
  if (custom === undefined) return [];
  const isAlias = (alias: unknown) => typeof alias === 'string' && alias.split('.').every((key) => key !== '' && key === key.trim());
  if (Array.isArray(custom.value) && custom.value.every(isAlias)) return custom.value as string[];
  file.fault(custom.place, 'expected a list of other names, dotted where they are nested: [uid, auction.user]');
  return [];
}

function readFlag(file: ContractFile, custom: Custom | undefined, name: string): boolean {
  if (custom === undefined || typeof custom.value === 'boolean') return custom?.value === true;
  file.fault(custom.place, `expected true or false for ${name}`);
  return false;
}

/** The allowed values, in the standard's own words for them. Undefined where there are none. */
function readValidValues(file: ContractFile, quality: unknown, place: Place): readonly string[] | undefined {
  if (!Array.isArray(quality)) return undefined;
  for (const [index, rule] of quality.entries()) {
    if (!isRecord(rule) || rule['metric'] !== 'invalidValues') continue;
    const at = [...place, 'quality', index];
    if (rule['mustBe'] !== 0) file.fault(at, 'expected mustBe: 0; every record with another value is refused');
    const values = isRecord(rule['arguments']) ? rule['arguments']['validValues'] : undefined;
    const isValue = (value: unknown) => typeof value === 'string' && value !== '' && value === value.trim();
    if (Array.isArray(values) && values.length > 0 && values.every(isValue) && new Set(values).size === values.length) return values as string[];
    file.fault(at, 'expected arguments.validValues: a list of different texts without blanks around them (quote numbers and true, false, null)');
    return undefined;
  }
  return undefined;
}

function readExamples(file: ContractFile, examples: readonly unknown[], place: Place): readonly ExampleValue[] {
  return examples.filter((example, index): example is ExampleValue => {
    const single = example === null || ['string', 'number', 'boolean'].includes(typeof example);
    if (!single) file.fault([...place, 'examples', index], 'expected a single value');
    return single;
  });
}
