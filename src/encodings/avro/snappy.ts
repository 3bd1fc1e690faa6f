/**
 * Snappy's raw format. The library we know of trusts its input (a literal's length is a signed number there: one flipped bit and
 * it walks backwards through two billion positions), so that the few lines it takes stand here.
 */

/** Literals that are worth a native call. Bytes. */
const LONG = 64;

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

/** Fills `target` as far as the data goes; returns how far: `~bytes` (negative) where the data is cut or corrupt behind them. */
export function decompressSnappy(data: Uint8Array, start: number, target: Uint8Array): number {
  let at = start;
  let to = 0;
  while (at < data.length) {
    const tag = data[at++] as number;
    const kind = tag & 3;
    let length = (tag >> 2) + 1;
    if (kind === 0) {
      const size = Math.max(0, length - 60);
      if (at + size > data.length) return ~to;
      if (size > 0) length = readLittleEndian(data, at, size) + 1;
      at += size;
      if (to + length > target.length) return ~to;
      // Of a cut literal, the bytes before the cut are as good as any.
      const stop = Math.min(at + length, data.length);
      if (length > LONG) {
        target.set(data.subarray(at, stop), to);
        to += stop - at;
      } else {
        for (let from = at; from < stop; from++) target[to++] = data[from] as number;
      }
      if (at + length > data.length) return ~to;
      at = stop;
      continue;
    }
    const size = kind === 3 ? 4 : kind;
    if (at + size > data.length) return ~to;
    let distance = readLittleEndian(data, at, size);
    at += size;
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance += (tag >> 5) << 8;
    }
    if (distance === 0 || distance > to || to + length > target.length) return ~to;
    for (const end = to + length; to < end; to++) target[to] = target[to - distance] as number;
  }
  return to;
}

function readLittleEndian(data: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (data[at + i] as number);
  return value;
}
