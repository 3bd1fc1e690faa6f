/** Whether a text is ASCII, and so UTF-8: nearly every one is. Asked four bytes at a time, the last four perhaps twice. */
export function isAscii(view: DataView, bytes: Uint8Array, start: number, end: number): boolean {
  let high = 0;
  if (end - start >= 4) {
    const last = end - 4;
    for (let at = start; at < last; at += 4) high |= view.getInt32(at, true);
    high |= view.getInt32(last, true);
  } else {
    for (let at = start; at < end; at++) high |= bytes[at] as number;
  }
  return (high & 0x80808080) === 0;
}
