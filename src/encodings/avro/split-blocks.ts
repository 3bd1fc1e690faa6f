import { ContainerProblem, readLong, SYNC_BYTES } from './container-header.ts';

/**
 * The bytes of an Avro file from one block to another, in parts of whole blocks that are no longer than so many bytes. Of a block that is
 * longer by itself the beginning is a part, and the rest is left out. `start`: of the first block.
 */
export function* splitBlocks(bytes: Uint8Array, start: number, maxBytes: number): Generator<Uint8Array> {
  let from = 0;
  for (let at = start; at < bytes.length; ) {
    const end = endOfBlock(bytes, at);
    if (end - from > maxBytes) {
      if (at > from) yield bytes.subarray(from, at);
      from = at;
    }
    if (end - from > maxBytes) {
      yield bytes.subarray(from, from + maxBytes);
      from = end;
    }
    at = end;
  }
  if (from < bytes.length) yield bytes.subarray(from, from + maxBytes);
}

/** Where they end, of one that is cut or none. */
function endOfBlock(bytes: Uint8Array, at: number): number {
  try {
    const count = readLong(bytes, at, bytes.length);
    const size = count && readLong(bytes, count.behind, bytes.length);
    return size === undefined || size.value < 0 ? bytes.length : Math.min(bytes.length, size.behind + size.value + SYNC_BYTES);
  } catch (error) {
    if (error instanceof ContainerProblem) return bytes.length;
    throw error;
  }
}
