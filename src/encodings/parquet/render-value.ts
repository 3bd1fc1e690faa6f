import type { SchemaElement, SchemaTree } from 'hyparquet';

/**
 * A value of a column as JSON, with all its digits: `undefined` where it is null. Texts are in binary form, a character a byte, as they stand
 * in the file: what is not UTF-8 stays so, and is found by whoever decodes it.
 */
export function renderValue(value: unknown, node: SchemaTree): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (node.children.length > 0) return renderGroup(value, node);
  if (isList(value)) return renderList(value, node);
  return renderLeaf(value, node.element);
}

/** A name or text as `renderValue` has it. */
export function binaryText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function renderGroup(value: unknown, node: SchemaTree): string {
  const { children, element } = node;
  if (isList(value)) {
    const repeated = children[0] as SchemaTree;
    const inner = element.converted_type !== 'LIST' ? node : repeated.children.length === 1 ? (repeated.children[0] as SchemaTree) : repeated;
    return renderList(value, inner);
  }
  const held = value as Readonly<Record<string, unknown>>;
  if (element.converted_type === 'MAP') {
    const inner = children[0]?.children[1] as SchemaTree;
    return renderObject(Object.entries(held).map(([name, each]) => [name, renderValue(each, inner)]));
  }
  return renderObject(children.map((child) => [binaryText(child.element.name), renderValue(held[child.element.name], child)]));
}

export function renderObject(fields: readonly (readonly [name: string, value: string | undefined])[]): string {
  return `{${fields.flatMap(([name, value]) => (value === undefined ? [] : `${JSON.stringify(name)}:${value}`)).join(',')}}`;
}

function renderList(values: ArrayLike<unknown>, node: SchemaTree): string {
  return `[${Array.from(values, (each) => renderValue(each, node) ?? 'null').join(',')}]`;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array));
}

function renderLeaf(value: unknown, element: SchemaElement): string {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return decimal(value, element.scale ?? (logical?.type === 'DECIMAL' ? logical.scale : 0));
  if (type === 'INT96') return timestamp(BigInt(value as bigint), 1_000_000_000n, true);
  if (converted === 'TIMESTAMP_MILLIS' || (logical?.type === 'TIMESTAMP' && logical.unit === 'MILLIS'))
    return timestamp(BigInt(value as bigint), 1_000n, isUtc(element));
  if (converted === 'TIMESTAMP_MICROS' || (logical?.type === 'TIMESTAMP' && logical.unit === 'MICROS'))
    return timestamp(BigInt(value as bigint), 1_000_000n, isUtc(element));
  if (logical?.type === 'TIMESTAMP') return timestamp(BigInt(value as bigint), 1_000_000_000n, isUtc(element));
  if (converted === 'DATE') return JSON.stringify(new Date(Number(value) * 86_400_000).toISOString().slice(0, 10));
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1'));
  if (typeof value === 'number') return number(value, type === 'FLOAT');
  return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : JSON.stringify(String(value));
}

function isUtc({ logical_type: logical }: SchemaElement): boolean {
  return logical?.type !== 'TIMESTAMP' || logical.isAdjustedToUTC;
}

/** In RFC 3339; without a zone where the file says that it is of none, which the settings of the feed then say. */
function timestamp(count: bigint, perSecond: bigint, isInUtc: boolean): string {
  const fraction = ((count % perSecond) + perSecond) % perSecond;
  const seconds = Number((count - fraction) / perSecond);
  if (Math.abs(seconds) > 8.64e12) return JSON.stringify(`${count}`);
  const digits = String(fraction)
    .padStart(String(perSecond).length - 1, '0')
    .replace(/0+$/, '');
  const text = new Date(seconds * 1_000).toISOString().slice(0, 19);
  return JSON.stringify(`${text}${digits === '' ? '' : `.${digits}`}${isInUtc ? 'Z' : ''}`);
}

function decimal(value: unknown, scale: number): string {
  const unscaled = value instanceof Uint8Array ? signedInteger(value) : BigInt(value as bigint | number);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale);
  return `${unscaled < 0n ? '-' : ''}${whole}${scale > 0 ? `.${fraction}` : ''}`;
}

/** Two's complement, the highest byte first. */
function signedInteger(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`));
}

/** The shortest digits that are this number, also where it has the precision of 32 bits. What JSON has no number for is a text, for the contract to refuse. */
function number(value: number, isSingle: boolean): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value));
  if (isSingle) {
    for (let digits = 6; digits < 10; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) === value) return String(short);
    }
  }
  return String(value);
}
