import type { AvroType } from './schema.ts';

/*
 * Statements of generated code. `r` is the record reader, `at` the position; a method returns the position behind what it
 * read, or less than 0. Only integers are ever put into them.
 */

type Single = Exclude<AvroType, { kind: 'union' | 'record' | 'items' }>;

export function step(expression: string): string {
  return `if ((at = ${expression}) < 0) return at;`;
}

/** What is not plain (64 bytes or longer, cut, not ASCII, there twice) goes the long way. A shorter length is one byte, and even. */
export function readText(field: number): string {
  return `length = at < end ? bytes[at] : 1; stop = at + 1 + (length >> 1);
  if ((length & 0x81) === 0 && stop <= end && kinds[${field}] === 0 && isAscii(view, bytes, at + 1, stop)) {
    kinds[${field}] = 2; if (buffers[${field}] !== bytes) buffers[${field}] = bytes; starts[${field}] = at + 1; ends[${field}] = stop; at = stop;
  } else ${step(`r.readText(at, ${integer(field)})`)}`;
}

/** `symbols`: index of an enum's table of symbols. */
export function readSingle(type: Single, field: number, symbols: number): string {
  const slot = integer(field);
  switch (type.kind) {
    case 'null':
      return `r.setNull(${slot});`;
    case 'boolean':
      return step(`r.readBoolean(at, ${slot})`);
    case 'int':
    case 'long':
      return step(readNumber(type.logical?.name, slot));
    case 'float':
      return step(`r.readDouble(at, ${slot}, 4)`);
    case 'double':
      return step(`r.readDouble(at, ${slot}, 8)`);
    case 'enum':
      return step(`r.readEnum(at, ${slot}, ${integer(symbols)})`);
    case 'fixed':
      return readFixed(type, slot);
    default:
      return type.logical?.name === 'decimal' ? step(`r.readDecimalBytes(at, ${slot}, ${integer(type.logical.scale)})`) : step(`r.readText(at, ${slot})`);
  }
}

export function skipSingle(type: Single): string {
  switch (type.kind) {
    case 'null':
      return '';
    case 'boolean':
      return step('r.advance(at, 1)');
    case 'int':
    case 'long':
      return step('r.readLong(at)');
    case 'float':
      return step('r.advance(at, 4)');
    case 'double':
      return step('r.advance(at, 8)');
    case 'enum':
      return step(`r.readIndex(at, ${integer(type.symbols.length)}) < 0 ? -1 : r.behind`);
    case 'fixed':
      return step(`r.advance(at, ${integer(type.size)})`);
    default:
      return step('r.skipBytes(at)');
  }
}

function readNumber(logical: string | undefined, slot: string): string {
  switch (logical) {
    case 'date':
      return `r.readDate(at, ${slot})`;
    case 'timestamp-millis':
      return `r.readTimestamp(at, ${slot}, 3)`;
    case 'timestamp-micros':
      return `r.readTimestamp(at, ${slot}, 0)`;
    case 'timestamp-nanos':
      return `r.readTimestamp(at, ${slot}, -3)`;
    default:
      return `r.readLongField(at, ${slot})`;
  }
}

function readFixed({ size, logical }: Single & { kind: 'fixed' }, slot: string): string {
  switch (logical?.name) {
    case 'decimal':
      return step(`r.readDecimal(at, ${slot}, ${integer(logical.scale)}, ${integer(size)})`);
    case 'uuid':
      return step(`r.readUuid(at, ${slot})`);
    case 'duration':
      // Months, days and milliseconds: no single value.
      return `r.setNested(${slot}); ${step(`r.advance(at, ${integer(size)})`)}`;
    default:
      return step(`r.readFixedText(at, ${slot}, ${integer(size)})`);
  }
}

/** Whatever else came here would be run. */
function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is no integer`);
  return String(value);
}
