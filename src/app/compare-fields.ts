import type { Contract, ContractField, FieldType } from '../contracts/contract.ts';
import type { ArrivingField, ArrivingKind, ReadableFields } from '../encodings/avro/read-fields.ts';

/** Something about a registered schema that its contract has to say. */
export interface RegistryFinding {
  /** The contract's name of the field, or empty. */
  readonly field: string;
  /** Records are refused, or a value of all of them is, until one of the two is changed. Otherwise some may be. */
  readonly breaks: boolean;
  readonly message: string;
}

export interface FieldComparison {
  readonly findings: readonly RegistryFinding[];
  /** Fields of which no value can be taken. */
  readonly refused: ReadonlySet<string>;
}

/** How the check of a field (contracts/compile-contract.ts) takes what arrives: always, for some values, or never. */
type Taking = 'taken' | 'some' | 'never';

const TEXTS: Readonly<Record<ArrivingKind, Taking>> = {
  null: 'taken',
  text: 'taken',
  'whole number': 'taken',
  number: 'some',
  time: 'taken',
  date: 'taken',
  boolean: 'never',
  'list, map or record': 'never',
};
const NAMES: typeof TEXTS = { ...TEXTS, 'whole number': 'never', number: 'never', time: 'never', date: 'never' };
const NUMBERS: typeof TEXTS = { ...TEXTS, text: 'some', number: 'taken', date: 'never', time: 'never' };

const TAKING: Readonly<Record<FieldType, typeof TEXTS>> = {
  id: TEXTS,
  text: TEXTS,
  host: { ...TEXTS, 'whole number': 'some', time: 'some', date: 'some' },
  enum: { ...TEXTS, 'whole number': 'some', time: 'some', date: 'some' },
  currency: NAMES,
  country: NAMES,
  money: NUMBERS,
  rate: NUMBERS,
  integer: { ...NUMBERS, number: 'some', time: 'taken' },
  timestamp: { ...TEXTS, date: 'never' },
  date: { ...TEXTS, 'whole number': 'never', number: 'never', time: 'never' },
  boolean: { ...TEXTS, boolean: 'taken', text: 'some', 'whole number': 'some', number: 'some', time: 'never', date: 'never' },
};

export function takingOf(type: FieldType, kind: ArrivingKind): Taking {
  return TAKING[type][kind];
}

/** Compares what the records of a schema hold with what a contract takes. */
export function compareFields(contract: Contract, { fields, unknownNames }: ReadableFields): FieldComparison {
  const findings: RegistryFinding[] = [];
  const refused = new Set<string>();
  for (const [index, field] of contract.fields.entries()) {
    const arriving = fields[index];
    const found = arriving === undefined ? missing(field) : compareField(field, arriving);
    findings.push(...found);
    if (arriving !== undefined && isNeverTaken(field, arriving)) refused.add(field.name);
  }
  if (unknownNames.length > 0)
    findings.push({ field: '', breaks: false, message: `the contract does not know ${listed(unknownNames)}: ignored, and counted as drift` });
  return { findings, refused };
}

function missing({ name, required, mustBePresent }: ContractField): RegistryFinding[] {
  if (!required && !mustBePresent) return [];
  return [
    {
      field: name,
      breaks: true,
      message: `the contract ${required ? 'requires it' : 'asks that it be there'}, and the schema does not have it: every record is refused`,
    },
  ];
}

function compareField(field: ContractField, arriving: ArrivingField): RegistryFinding[] {
  const { name, required, mustBePresent, type } = field;
  const found = (breaks: boolean, message: string): RegistryFinding => ({ field: name, breaks, message });
  const names = [...arriving.names];
  if (names.length > 1)
    return [found(!arriving.mayBeAbsent, `the schema has it under the names ${names.join(' and ')}: a record that holds both is malformed`)];
  if (isNeverTaken(field, arriving)) {
    const kinds = valueKinds(arriving);
    if (kinds.length > 0) return [found(true, `it is ${kinds.join(' or ')} in the schema, and ${type} in the contract: no value of it is taken`)];
    return required ? [found(true, 'the contract requires it, and it is always null in the schema: every record is refused')] : [];
  }
  const findings: RegistryFinding[] = [];
  const never = valueKinds(arriving).filter((kind) => takingOf(type, kind) === 'never');
  if (never.length > 0) findings.push(found(false, `it may be ${never.join(' or ')} in the schema, which ${type} in the contract does not take`));
  const some = valueKinds(arriving).filter((kind) => takingOf(type, kind) === 'some');
  if (some.length > 0) findings.push(found(false, `it is ${some.join(' or ')} in the schema: only values that can be ${type} are taken`));
  if (required && arriving.kinds.has('null'))
    findings.push(found(false, 'it may be null in the schema, and the contract requires it: records without it are refused'));
  else if ((required || mustBePresent) && arriving.mayBeAbsent)
    findings.push(found(false, 'it may be absent in the schema, and the contract asks for it: records without it are refused'));
  return findings;
}

/** There is no value of it that the contract takes: it is always null, or of other types. */
function isNeverTaken({ type }: ContractField, arriving: ArrivingField): boolean {
  return valueKinds(arriving).every((kind) => takingOf(type, kind) === 'never');
}

function valueKinds({ kinds }: ArrivingField): ArrivingKind[] {
  return [...kinds].filter((kind) => kind !== 'null');
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).join(', ');
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown;
}

const SHOWN_NAMES = 10;
