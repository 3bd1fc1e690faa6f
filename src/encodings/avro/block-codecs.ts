import * as zlib from 'node:zlib';
import { decompressSnappy, readSnappyLength } from './snappy.ts';

export const CODECS = ['null', 'deflate', 'snappy', 'zstandard'] as const;
export type Codec = (typeof CODECS)[number];

/** A larger block is refused, before and after decompression: what a decoder holds is bounded by it. */
export const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

export interface BlockContent {
  readonly bytes: Uint8Array;
  /** Why there is no more, or empty. */
  readonly problem: string;
}

/** Decompresses a block. `isCut`: the input ends inside it; what can be had of it is given. Never throws. */
export function decompressBlock(codec: Codec, data: Uint8Array, isCut: boolean): BlockContent {
  switch (codec) {
    case 'null':
      return { bytes: data, problem: '' };
    case 'snappy':
      return decompressSnappyBlock(data, isCut);
    case 'deflate':
      return inflate(() => zlib.inflateRawSync(data, { maxOutputLength: MAX_BLOCK_BYTES, ...(isCut && { finishFlush: zlib.constants.Z_SYNC_FLUSH }) }));
    case 'zstandard':
      return inflate(() => zlib.zstdDecompressSync(data, { maxOutputLength: MAX_BLOCK_BYTES, ...(isCut && { finishFlush: zlib.constants.ZSTD_e_flush }) }));
  }
}

function inflate(run: () => Buffer): BlockContent {
  try {
    const { buffer, byteOffset, length } = run();
    return { bytes: new Uint8Array(buffer, byteOffset, length), problem: '' };
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return {
      bytes: new Uint8Array(0),
      problem: tooLarge ? `it decompresses to more than ${MAX_BLOCK_BYTES} bytes` : `it does not decompress (${(error as Error).message})`,
    };
  }
}

/** Avro adds the CRC-32 of the content, big-endian. */
function decompressSnappyBlock(data: Uint8Array, isCut: boolean): BlockContent {
  const compressed = isCut ? data : data.subarray(0, Math.max(0, data.length - 4));
  const preamble = readSnappyLength(compressed);
  if (preamble === undefined) return { bytes: new Uint8Array(0), problem: 'it does not decompress (no length)' };
  if (preamble.length > MAX_BLOCK_BYTES) return { bytes: new Uint8Array(0), problem: `it decompresses to more than ${MAX_BLOCK_BYTES} bytes` };
  const bytes = new Uint8Array(preamble.length);
  const made = decompressSnappy(compressed, preamble.start, bytes);
  if (isCut) return { bytes: bytes.subarray(0, made < 0 ? ~made : made), problem: '' };
  if (made !== bytes.length) return { bytes: new Uint8Array(0), problem: 'it does not decompress (corrupt snappy data)' };
  const checksum = new DataView(data.buffer, data.byteOffset + data.length - 4, 4).getUint32(0);
  return zlib.crc32(bytes) === checksum ? { bytes, problem: '' } : { bytes: new Uint8Array(0), problem: 'its checksum does not match' };
}
