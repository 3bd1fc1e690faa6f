/** Looking at bytes sixteen at a time. Each may look past the end of a text, into what follows it in memory. */

/** The first byte from `at` on that is not printable ASCII, or is a quote or a backslash. */
// @ts-ignore: decorator
@inline
export function findStop(start: usize): usize {
  let at = start;
  while (true) {
    const bytes = v128.load(at);
    const printable = v128.sub<i8>(bytes, v128.splat<i8>(0x20));
    const stops = v128.or(
      v128.or(v128.eq<i8>(bytes, v128.splat<i8>(0x22)), v128.eq<i8>(bytes, v128.splat<i8>(0x5c))),
      v128.gt<u8>(printable, v128.splat<i8>(0x5e)),
    );
    const bits = v128.bitmask<i8>(stops);
    if (bits != 0) return at + ctz(bits);
    at += 16;
  }
}

/** From behind its opening quote, where a plain JSON string ends: at its closing quote; anywhere else, it is not plain. */
export function findQuote(start: usize): usize {
  let at = findStop(start);
  while (load<u8>(at) >= 0x80) {
    const length = characterLength(at);
    if (length == 0) return at;
    at = findStop(at + length);
  }
  return at;
}

/** From behind its opening quote, the closing quote of a string with any escapes; 0 where it is broken, or holds control characters. */
export function findStringEnd(start: usize): usize {
  let at = findQuote(start);
  while (load<u8>(at) == 0x5c) {
    const escaped = load<u8>(at, 1);
    if (escaped == 0x75) {
      for (let i: usize = 2; i < 6; i++) if (!isHexDigit(load<u8>(at + i))) return 0;
      at += 4;
    } else if (!isShortEscape(escaped)) return 0;
    at = findQuote(at + 2);
  }
  return load<u8>(at) == 0x22 ? at : 0;
}

// @ts-ignore: decorator
@inline
function isShortEscape(byte: u8): bool {
  // Of a quote, a backslash, a slash, b f n r t.
  return byte == 0x22 || byte == 0x5c || byte == 0x2f || byte == 0x62 || byte == 0x66 || byte == 0x6e || byte == 0x72 || byte == 0x74;
}

function isHexDigit(byte: u8): bool {
  return <u32>byte - 0x30 <= 9 || (<u32>byte | 0x20) - 0x61 <= 5;
}

/** Whether bytes are UTF-8 without control characters. */
export function isPrintable(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    if (at + 16 <= end) {
      const shifted = v128.sub<i8>(v128.load(at), v128.splat<i8>(0x20));
      if (!v128.any_true(v128.gt<u8>(shifted, v128.splat<i8>(0x5e)))) {
        at += 16;
        continue;
      }
    }
    if (<u32>load<u8>(at) - 0x20 <= 0x5e) at++;
    else {
      const length = characterLength(at);
      if (length == 0) return false;
      at += length;
    }
  }
  return at == end;
}

/** Bytes of the character that begins with a byte from 0x80 on; 0 where it is none, or a control character. */
function characterLength(at: usize): usize {
  const first = <u32>load<u8>(at);
  const second = <u32>load<u8>(at, 1);
  if (first >= 0xc2 && first <= 0xdf) return second >= (first == 0xc2 ? 0xa0 : 0x80) && second <= 0xbf ? 2 : 0;
  if (first < 0xe0 || first > 0xf4) return 0;
  const lowest: u32 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const highest: u32 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest || (<u32>load<u8>(at, 2) & 0xc0) != 0x80) return 0;
  if (first < 0xf0) return 3;
  return (<u32>load<u8>(at, 3) & 0xc0) == 0x80 ? 4 : 0;
}

export function sameText(one: usize, other: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= length; i += 16) if (v128.any_true(v128.xor(v128.load(one + i), v128.load(other + i)))) return false;
  if (i + 8 <= length) {
    if (load<u64>(one + i) != load<u64>(other + i)) return false;
    i += 8;
  }
  if (i == length) return true;
  return ((load<u64>(one + i) ^ load<u64>(other + i)) & lowBytes(length - i)) == 0;
}

/** Spreads well over the low bits; nothing that is stored depends on it. */
export function hashText(start: usize, length: usize): u32 {
  let even: u64 = <u64>length;
  let odd: u64 = HASH_FACTOR;
  let i: usize = 0;
  for (; i + 16 <= length; i += 16) {
    even = mix(even, load<u64>(start + i));
    odd = mix(odd, load<u64>(start + i, 8));
  }
  if (i + 8 <= length) {
    even = mix(even, load<u64>(start + i));
    i += 8;
  }
  if (i < length) odd = mix(odd, load<u64>(start + i) & lowBytes(length - i));
  const hash = mix(even, rotr<u64>(odd, 32));
  return <u32>hash ^ <u32>(hash >> 32);
}

const HASH_FACTOR: u64 = 0x9e3779b97f4a7c15;

// @ts-ignore: decorator
@inline
function mix(hash: u64, bytes: u64): u64 {
  return rotr<u64>((hash ^ bytes) * HASH_FACTOR, 29);
}

/** A mask of the first `count` bytes in memory, fewer than eight. */
// @ts-ignore: decorator
@inline
function lowBytes(count: usize): u64 {
  return ((<u64>1) << ((<u64>count) << 3)) - 1;
}

/** There is room for sixteen bytes more. */
// @ts-ignore: decorator
@inline
export function copyText(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** Writes the digits of a number; returns where they end. */
export function writeNumber(target: usize, value: i64): usize {
  let at = target;
  let rest: u64 = <u64>value;
  if (value < 0) {
    store<u8>(at++, 0x2d);
    rest = <u64>-value;
  }
  let digits: usize = 1;
  for (let limit: u64 = 10; digits < 19 && rest >= limit; limit *= 10) digits++;
  const end = at + digits;
  for (let to = end - 1; to >= at; to--) {
    const tenth = rest / 10;
    store<u8>(to, <u8>(0x30 + (rest - tenth * 10)));
    rest = tenth;
  }
  return end;
}
