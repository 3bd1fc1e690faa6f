/** MurmurHash3 x86_128, seed 0: what domain/murmur3.ts computes, over the same parts. */
import { copyText } from './text';

const SEPARATOR: u8 = 0x1f;
const C1: u32 = 0x239b961b;
const C2: u32 = 0xab0e9789;
const C3: u32 = 0x38b34ae5;
const C4: u32 = 0xa1e38b93;

export let h1: u32 = 0;
export let h2: u32 = 0;
export let h3: u32 = 0;
export let h4: u32 = 0;

let buffer: usize = 0;
let end: usize = 0;

/** Room for parts of so many bytes together. */
export function allocateParts(size: usize): void {
  buffer = heap.alloc(size + 64);
}

// @ts-ignore: decorator
@inline
export function beginParts(): void {
  end = buffer;
}

// @ts-ignore: decorator
@inline
export function textPart(start: usize, length: usize): void {
  copyText(end, start, length);
  end += length;
  store<u8>(end++, SEPARATOR);
}

/** Bytes as they are. */
// @ts-ignore: decorator
@inline
export function rawPart(start: usize, length: usize): void {
  copyText(end, start, length);
  end += length;
}

// @ts-ignore: decorator
@inline
export function wordPart(value: u32): void {
  store<u32>(end, value);
  end += 4;
}

export function partsEnd(): usize {
  return end;
}

export function endPart(at: usize): void {
  store<u8>(at, SEPARATOR);
  end = at + 1;
}

export function finishParts(): void {
  const length = <u32>(end - buffer);
  // Zeros behind the end make the tail whole words: a zero word changes nothing in the tail's mixing.
  v128.store(end, i8x16.splat(0));
  let a: u32 = 0;
  let b: u32 = 0;
  let c: u32 = 0;
  let d: u32 = 0;
  let at = buffer;
  const bodyEnd = buffer + <usize>(length & ~15);
  for (; at < bodyEnd; at += 16) {
    a ^= rotl<u32>(load<u32>(at) * C1, 15) * C2;
    a = (rotl<u32>(a, 19) + b) * 5 + 0x561ccd1b;
    b ^= rotl<u32>(load<u32>(at + 4) * C2, 16) * C3;
    b = (rotl<u32>(b, 17) + c) * 5 + 0x0bcaa747;
    c ^= rotl<u32>(load<u32>(at + 8) * C3, 17) * C4;
    c = (rotl<u32>(c, 15) + d) * 5 + 0x96cd1c35;
    d ^= rotl<u32>(load<u32>(at + 12) * C4, 18) * C1;
    d = (rotl<u32>(d, 13) + a) * 5 + 0x32ac3b17;
  }
  if ((length & 15) != 0) {
    a ^= rotl<u32>(load<u32>(at) * C1, 15) * C2;
    b ^= rotl<u32>(load<u32>(at + 4) * C2, 16) * C3;
    c ^= rotl<u32>(load<u32>(at + 8) * C3, 17) * C4;
    d ^= rotl<u32>(load<u32>(at + 12) * C4, 18) * C1;
  }
  a ^= length;
  b ^= length;
  c ^= length;
  d ^= length;
  a = a + b + c + d;
  b = avalanche(b + a);
  c = avalanche(c + a);
  d = avalanche(d + a);
  a = avalanche(a);
  a = a + b + c + d;
  h1 = a;
  h2 = b + a;
  h3 = c + a;
  h4 = d + a;
}

// @ts-ignore: decorator
@inline
function avalanche(hash: u32): u32 {
  let h = hash;
  h = (h ^ (h >>> 16)) * 0x85ebca6b;
  h = (h ^ (h >>> 13)) * 0xc2b2ae35;
  return h ^ (h >>> 16);
}
