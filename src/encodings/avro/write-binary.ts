const HEX = new TextEncoder().encode('0123456789abcdef');
/** Longer than any amount: more bytes are no number that means something. */
export const LONGEST_DECIMAL = 64;

/** The text of a decimal: a big-endian two's complement number of units, `scale` digits of them after the point. */
export function decimalText(bytes: Uint8Array, start: number, length: number, scale: number): string {
  const units = length <= 6 ? smallUnits(bytes, start, length) : largeUnits(bytes, start, length);
  const isNegative = units.startsWith('-');
  const digits = (isNegative ? units.slice(1) : units).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${isNegative ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`;
}

/** 16 bytes as 8-4-4-4-12 hexadecimal digits. */
export function writeUuid(target: Uint8Array, at: number, bytes: Uint8Array, start: number): number {
  let to = at;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) target[to++] = 0x2d;
    const byte = bytes[start + i] as number;
    target[to++] = HEX[byte >> 4] as number;
    target[to++] = HEX[byte & 15] as number;
  }
  return to;
}

function smallUnits(bytes: Uint8Array, start: number, length: number): string {
  let units = 0;
  for (let i = 0; i < length; i++) units = units * 256 + (bytes[start + i] as number);
  return String(((bytes[start] as number) & 0x80) === 0 ? units : units - 2 ** (8 * length));
}

function largeUnits(bytes: Uint8Array, start: number, length: number): string {
  const units = BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('hex')}`);
  return BigInt.asIntN(8 * length, units).toString();
}
