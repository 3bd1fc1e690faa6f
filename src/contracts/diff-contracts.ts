import type { Contract, ContractField, FieldType } from './contract.ts';
import { showBound } from './problem.ts';

export const CONTRACT_CHANGE_KINDS = [
  'feed_changed',
  'field_added',
  'field_removed',
  'field_renamed',
  'alias_added',
  'alias_removed',
  'column_renamed',
  'type_changed',
  'made_required',
  'made_optional',
  'presence_demanded',
  'presence_released',
  'value_added',
  'value_removed',
  'range_tightened',
  'range_widened',
  'length_tightened',
  'length_widened',
  'pattern_added',
  'pattern_changed',
  'pattern_removed',
  'version_unchanged',
] as const;
export type ContractChangeKind = (typeof CONTRACT_CHANGE_KINDS)[number];

/** One difference between two contracts, and whom it breaks. */
export interface ContractChange {
  readonly kind: ContractChangeKind;
  /** The field's name in the later contract (in the earlier one where it was removed), empty for the whole contract. */
  readonly field: string;
  /** Queries on the tables that worked before may fail, or meet NULL where there was none. */
  readonly breaksReaders: boolean;
  /** Records that were accepted before may be quarantined, or lose a value. */
  readonly breaksWriters: boolean;
  readonly message: string;
}

type Report = (kind: ContractChangeKind, breaks: 'readers' | 'writers' | 'both' | 'nobody', message: string) => void;

/** Every difference that changes what is accepted or stored, in the order of the later contract's fields, removed ones last. */
export function diffContracts(before: Contract, after: Contract): ContractChange[] {
  const changes: ContractChange[] = [];
  const reportOn =
    (field: string): Report =>
    (kind, breaks, message) =>
      changes.push({
        kind,
        field,
        breaksReaders: breaks === 'readers' || breaks === 'both',
        breaksWriters: breaks === 'writers' || breaks === 'both',
        message,
      });

  if (before.feed !== after.feed) reportOn('')('feed_changed', 'both', `the contract was for ${before.feed} and is for ${after.feed}`);
  const pairs = pairFields(before, after);
  for (const field of after.fields) {
    const report = reportOn(field.name);
    const earlier = pairs.get(field);
    if (earlier) diffField(earlier, field, report);
    else reportAdded(field, report);
  }
  const kept = new Set(pairs.values());
  for (const field of before.fields) {
    if (!kept.has(field))
      reportOn(field.name)(
        'field_removed',
        'readers',
        `${field.name} was removed: the column ${field.column} is no longer filled, what is sent for it is ignored`,
      );
  }
  if (changes.length > 0 && before.version === after.version) {
    reportOn('')('version_unchanged', 'nobody', `the contract changed but its version is still ${after.version}`);
  }
  return changes;
}

/** Fields belong together by column, which is what they mean; what is left, by name. */
function pairFields(before: Contract, after: Contract): Map<ContractField, ContractField> {
  const pairs = new Map<ContractField, ContractField>();
  const left = new Set(before.fields);
  for (const same of ['column', 'name'] as const) {
    for (const field of after.fields) {
      if (pairs.has(field)) continue;
      const earlier = [...left].find((candidate) => candidate[same] === field[same]);
      if (!earlier) continue;
      pairs.set(field, earlier);
      left.delete(earlier);
    }
  }
  return pairs;
}

function reportAdded(field: ContractField, report: Report): void {
  if (field.required) report('field_added', 'writers', `${field.name} was added as required: records without it are quarantined`);
  else if (field.mustBePresent)
    report('field_added', 'writers', `${field.name} was added and must be there: records without its column or key are quarantined`);
  else report('field_added', 'nobody', `${field.name} was added as optional, stored in ${field.column}`);
}

function diffField(before: ContractField, after: ContractField, report: Report): void {
  diffNames(before, after, report);
  if (before.column !== after.column) report('column_renamed', 'readers', `${after.name} is stored in ${after.column} instead of ${before.column}`);
  if (before.type !== after.type) diffType(before, after, report);
  diffPresence(before, after, report);
  diffValues(before, after, report);
  if (before.type === after.type) diffRange(before, after, report);
  diffLength(before, after, report);
  diffPattern(before, after, report);
}

function diffNames(before: ContractField, after: ContractField, report: Report): void {
  const accepted = new Set([after.name, ...after.aliases]);
  const known = new Set([before.name, ...before.aliases]);
  if (before.name !== after.name) {
    const kept = accepted.has(before.name);
    report(
      'field_renamed',
      kept ? 'nobody' : 'writers',
      `${before.name} is called ${after.name}${kept ? '; the old name is still taken' : ': what is sent as it was before is ignored'}`,
    );
  }
  for (const name of before.aliases) {
    if (!accepted.has(name)) report('alias_removed', 'writers', `${after.name} is no longer taken under the name ${name}: what is sent so is ignored`);
  }
  for (const name of after.aliases) {
    if (!known.has(name)) report('alias_added', 'nobody', `${after.name} is also taken under the name ${name}`);
  }
}

function diffType(before: ContractField, after: ContractField, report: Report): void {
  const readers = COLUMN_TYPES[before.type] !== COLUMN_TYPES[after.type];
  // Text takes whatever the other text types take. Everything else may refuse, or store otherwise, what was accepted before.
  const writers = !(after.type === 'text' && COLUMN_TYPES[before.type] === 'VARCHAR');
  const whom = readers && writers ? 'both' : readers ? 'readers' : writers ? 'writers' : 'nobody';
  const column = readers ? `: the column ${after.column} becomes ${COLUMN_TYPES[after.type]} instead of ${COLUMN_TYPES[before.type]}` : '';
  report('type_changed', whom, `${after.name} is ${after.type} instead of ${before.type}${column}`);
}

const COLUMN_TYPES: Readonly<Record<FieldType, string>> = {
  id: 'VARCHAR',
  text: 'VARCHAR',
  host: 'VARCHAR',
  enum: 'VARCHAR',
  currency: 'VARCHAR',
  country: 'VARCHAR',
  money: 'BIGINT (micros)',
  integer: 'BIGINT',
  rate: 'BIGINT (billionths)',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  boolean: 'BOOLEAN',
};

function diffPresence(before: ContractField, after: ContractField, report: Report): void {
  if (!before.required && after.required) report('made_required', 'writers', `${after.name} is required now: records without a value for it are quarantined`);
  if (before.required && !after.required) report('made_optional', 'readers', `${after.name} is optional now: ${after.column} may be NULL`);
  const demanded = (field: ContractField) => field.mustBePresent || field.required;
  if (!demanded(before) && after.mustBePresent && !after.required) {
    report('presence_demanded', 'writers', `${after.name} must be there now, though it may be empty: records without its column or key are quarantined`);
  }
  if (demanded(before) && !demanded(after)) report('presence_released', 'nobody', `${after.name} need not be there any more`);
}

function diffValues(before: ContractField, after: ContractField, report: Report): void {
  // Where only one of them is an enum the change of type has said it all.
  if (!before.values || !after.values) return;
  for (const value of before.values) {
    if (!after.values.includes(value)) report('value_removed', 'writers', `${after.name} may no longer be ${value}`);
  }
  for (const value of after.values) {
    if (!before.values.includes(value)) report('value_added', 'nobody', `${after.name} may also be ${value}`);
  }
}

function diffRange(before: ContractField, after: ContractField, report: Report): void {
  const side = (name: string, was: number | undefined, is: number | undefined, tighter: boolean) => {
    if (was === is) return;
    const shown = (bound: number | undefined) => (bound === undefined ? 'none' : showBound(after.type, bound));
    const kind = tighter ? 'range_tightened' : 'range_widened';
    report(kind, tighter ? 'writers' : 'nobody', `the ${name} of ${after.name} is ${shown(is)} instead of ${shown(was)}`);
  };
  side('minimum', before.minimum, after.minimum, (after.minimum ?? Number.NEGATIVE_INFINITY) > (before.minimum ?? Number.NEGATIVE_INFINITY));
  side('maximum', before.maximum, after.maximum, (after.maximum ?? Number.POSITIVE_INFINITY) < (before.maximum ?? Number.POSITIVE_INFINITY));
}

function diffLength(before: ContractField, after: ContractField, report: Report): void {
  const side = (name: string, was: number | undefined, is: number | undefined, tighter: boolean) => {
    if (was === is) return;
    const kind = tighter ? 'length_tightened' : 'length_widened';
    report(kind, tighter ? 'writers' : 'nobody', `the ${name} length of ${after.name} is ${is ?? 'none'} instead of ${was ?? 'none'}`);
  };
  side('minimum', before.minLength, after.minLength, (after.minLength ?? 0) > (before.minLength ?? 0));
  side('maximum', before.maxLength, after.maxLength, (after.maxLength ?? Number.POSITIVE_INFINITY) < (before.maxLength ?? Number.POSITIVE_INFINITY));
}

function diffPattern(before: ContractField, after: ContractField, report: Report): void {
  if (before.pattern === after.pattern) return;
  if (after.pattern === undefined) report('pattern_removed', 'nobody', `${after.name} need not match ${before.pattern} any more`);
  else if (before.pattern === undefined) report('pattern_added', 'writers', `${after.name} must match ${after.pattern} now`);
  else report('pattern_changed', 'writers', `${after.name} must match ${after.pattern} instead of ${before.pattern}`);
}
