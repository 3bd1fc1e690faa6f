/** Times from text, as domain/timestamp.ts reads them: microseconds since 1970. */

/** Not plain. Earlier than any time that a record may have. */
export const NO_TIME: i64 = -1;

/** Whole seconds, milliseconds or microseconds, told apart by their digits. */
export function epochMicros(start: usize, end: usize): i64 {
  const length = end - start;
  if (length > 17 || <u32>load<u8>(start) - 0x31 > 8) return NO_TIME;
  let value: i64 = 0;
  for (let at = start; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return NO_TIME;
    value = value * 10 + digit;
  }
  return length >= 15 ? value : value * (length < 12 ? 1_000_000 : 1_000);
}

/** `2026-03-14T09:26:53[.589793…]Z`, or with an offset, or without a zone where that means UTC. */
export function timeMicros(start: usize, end: usize, assumesUtc: bool): i64 {
  const length = end - start;
  if (length < 19 || load<u8>(start, 4) != 0x2d) return epochMicros(start, end);
  const days = readDay(start);
  if (days < 0) return NO_TIME;
  const between = load<u8>(start, 10);
  if ((between | 0x20) != 0x74 && between != 0x20) return NO_TIME;
  const hour = twoDigits(start + 11);
  const minute = twoDigits(start + 14);
  const second = twoDigits(start + 17);
  if (hour > 23 || minute > 59 || second > 59 || load<u8>(start, 13) != 0x3a || load<u8>(start, 16) != 0x3a) return NO_TIME;
  let at = start + 19;
  let micros: i64 = 0;
  if (at < end && load<u8>(at) == 0x2e) {
    const point = at++;
    let unit: i64 = 100_000;
    let digit: u32 = 0;
    while (at < end && (digit = <u32>load<u8>(at) - 0x30) <= 9) {
      micros += unit * digit;
      unit /= 10;
      at++;
    }
    if (at == point + 1) return NO_TIME;
  }
  let seconds: i64 = <i64>days * 86_400 + <i64>(hour * 3_600 + minute * 60 + second);
  if (at == end) {
    if (!assumesUtc) return NO_TIME;
  } else if ((load<u8>(at) | 0x20) == 0x7a) {
    if (at + 1 != end) return NO_TIME;
  } else {
    const sign = load<u8>(at);
    if (end - at != 6 || load<u8>(at, 3) != 0x3a || (sign != 0x2b && sign != 0x2d)) return NO_TIME;
    const hours = twoDigits(at + 1);
    const minutes = twoDigits(at + 4);
    if (hours > 23 || minutes > 59) return NO_TIME;
    const offset = <i64>(hours * 3_600 + minutes * 60);
    seconds += sign == 0x2b ? -offset : offset;
  }
  return seconds * 1_000_000 + micros;
}

/** Records come day by day: the last date seen, and its days since 1970. */
let lastDate: u64 = 0;
let lastDayOfMonth: u32 = 0;
let lastDays: i32 = -1;

/** `2026-03-14`, of this century, as days since 1970; -1 for any other. */
export function readDay(start: usize): i32 {
  if (lastDays >= 0 && load<u64>(start) == lastDate && <u32>load<u16>(start, 8) == lastDayOfMonth) return lastDays;
  const century = twoDigits(start);
  const years = twoDigits(start + 2);
  const month = twoDigits(start + 5);
  const day = twoDigits(start + 8);
  if (century != 20 || years > 99 || month < 1 || month > 12 || day < 1 || day > 31) return -1;
  if (load<u8>(start, 4) != 0x2d || load<u8>(start, 7) != 0x2d) return -1;
  // 2000 is a leap year, and every fourth one after it, as far as 2099.
  const isLeap = (years & 3) == 0;
  if (day > (month == 2 ? (isLeap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)) return -1;
  let days: u32 = 10_957 + years * 365 + ((years + 3) >> 2) + day - 1;
  for (let m: u32 = 1; m < month; m++) days += m == 2 ? (isLeap ? 29 : 28) : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
  lastDate = load<u64>(start);
  lastDayOfMonth = <u32>load<u16>(start, 8);
  lastDays = <i32>days;
  return lastDays;
}

/** Two digits as a number, or more than any limit where they are none. */
// @ts-ignore: decorator
@inline
function twoDigits(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 0x30;
  const ones = <u32>load<u8>(at, 1) - 0x30;
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 255;
}
