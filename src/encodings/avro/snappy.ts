/**
 * Snappy's raw format. The library we know of trusts its input (a literal's length is a signed number there: one flipped bit and
 * it walks backwards through two billion positions), so that the few lines it takes stand here.
 */

/** What the data says it decompresses to, and where the data begins; undefined if that is no number. */
export function readSnappyLength(data: Uint8Array): { readonly length: number; readonly start: number } | undefined {
  let length = 0;
  for (let at = 0; at < Math.min(5, data.length); at++) {
    const byte = data[at] as number;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, start: at + 1 };
  }
  return undefined;
}

/** Fills `target` as far as the data goes; returns how far. Less than its length, or -1, tells damaged data. */
export function decompressSnappy(data: Uint8Array, start: number, target: Uint8Array): number {
  let at = start;
  let to = 0;
  while (at < data.length) {
    const tag = data[at++] as number;
    const kind = tag & 3;
    let length = (tag >> 2) + 1;
    let distance = 0;
    if (kind === 0) {
      if (length > 60) {
        const size = length - 60;
        if (at + size > data.length) return to;
        length = readLittleEndian(data, at, size) + 1;
        at += size;
      }
      if (at + length > data.length || to + length > target.length) return copyWhatFits(data, at, target, to, length);
      target.set(data.subarray(at, at + length), to);
      at += length;
      to += length;
      continue;
    }
    const size = kind === 3 ? 4 : kind;
    if (at + size > data.length) return to;
    distance = readLittleEndian(data, at, size);
    at += size;
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance += (tag >> 5) << 8;
    }
    if (distance === 0 || distance > to || to + length > target.length) return -1;
    for (const end = to + length; to < end; to++) target[to] = target[to - distance] as number;
  }
  return to;
}

/** A cut literal: its bytes up to the cut are as good as any. */
function copyWhatFits(data: Uint8Array, at: number, target: Uint8Array, to: number, length: number): number {
  if (to + length > target.length) return -1;
  const part = data.subarray(at);
  target.set(part, to);
  return to + part.length;
}

function readLittleEndian(data: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (data[at + i] as number);
  return value;
}
