/** The value of a digit's byte, 0 to 9; more than 9 for every other byte (the subtraction wraps around as unsigned). */
export function digitOf(byte: number): number {
  return (byte - 0x30) >>> 0;
}

/** The first position from `start` on that holds no digit. */
export function skipDigits(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end && digitOf(bytes[position] as number) <= 9) position++;
  return position;
}
