/** Deeper than any contract. */
const MAX_DEPTH = 8;

interface Fields {
  [name: string]: string | string[] | Fields;
}

/**
 * A record of the parameters of an address, as JSON: `auction.id=7` is `{"auction": {"id": "7"}}`. A parameter that is there twice becomes a
 * list, which the contract refuses: which one is right cannot be known, and quarantine keeps both.
 */
export function trackingRecord(parameters: Iterable<readonly [string, string]>, defaults: Readonly<Record<string, string>>): Uint8Array {
  const record = newFields();
  for (const [name, value] of parameters) place(record, name, value);
  for (const [name, value] of Object.entries(defaults)) record[name] ??= value;
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

function place(record: Fields, path: string, value: string): void {
  const names = path.split('.', MAX_DEPTH + 1).length > MAX_DEPTH ? [path] : path.split('.');
  const last = names.pop() as string;
  let fields = record;
  for (const name of names) {
    fields[name] ??= newFields();
    const inner = fields[name];
    // A name cannot be both a value and the start of a path. The record keeps it as it was sent, under a name that no contract has.
    if (typeof inner === 'string' || Array.isArray(inner)) {
      append(record, path, value);
      return;
    }
    fields = inner;
  }
  const isPath = typeof fields[last] === 'object' && !Array.isArray(fields[last]);
  if (isPath) append(record, `${path}.`, value);
  else append(fields, last, value);
}

function append(fields: Fields, name: string, value: string): void {
  const before = fields[name];
  fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before as string]), value];
}

/** Without a prototype: `__proto__` is a name like any other. */
function newFields(): Fields {
  return Object.create(null) as Fields;
}
