/** Host names in websites, as domain/host.ts cuts them out. */

/** The last one found. */
export let hostStart: usize = 0;
export let hostEnd: usize = 0;

/** Finds the host name of a website, with `http://` or `https://` before it and a port, path, query or fragment behind it; capitals are written small at `scratch`. */
export function findHost(start: usize, end: usize, scratch: usize): bool {
  let from = start;
  // `http`, then `://` or `s://`
  if (end - start > 8 && load<u32>(start) == 0x70747468) {
    const scheme: usize = load<u8>(start, 4) == 0x73 ? 5 : 4;
    if ((load<u32>(start + scheme) & 0xffffff) == 0x2f2f3a) from = start + scheme + 3;
  }
  let to = from;
  let hasCapitals = false;
  for (; to < end; to++) {
    const byte = <u32>load<u8>(to);
    if (byte - 0x61 <= 25 || byte - 0x30 <= 9 || byte == 0x2d || byte == 0x2e || byte == 0x5f) continue;
    if (byte - 0x41 <= 25) hasCapitals = true;
    else break;
  }
  if (to < end && !endsHost(to, end)) return false;
  if (hasCapitals) {
    const length = to - from;
    for (let i: usize = 0; i < length; i++) {
      const byte = load<u8>(from + i);
      store<u8>(scratch + i, byte - 0x41 <= 25 ? byte | 0x20 : byte);
    }
    from = scratch;
    to = scratch + length;
  }
  if (to > from && load<u8>(to - 1) == 0x2e) to--;
  if (to - from >= 4 && load<u32>(from) == 0x2e777777) from += 4;
  hostStart = from;
  hostEnd = to;
  return to > from && to - from <= 253;
}

/** Whether what stands at `at` ends a host name: a path, a query, a fragment, or a port and then one of them or nothing. */
function endsHost(start: usize, end: usize): bool {
  let at = start;
  if (load<u8>(at) == 0x3a) {
    at++;
    while (at < end && <u32>load<u8>(at) - 0x30 <= 9) at++;
  }
  if (at < end) {
    const byte = load<u8>(at);
    if (byte != 0x2f && byte != 0x3f && byte != 0x23) return false;
  }
  // What stands before an @ is credentials, before a path as well as in it: someone else tells them apart.
  for (; at < end; at++) if (load<u8>(at) == 0x40) return false;
  return true;
}
