import type { FileEncoding } from '../domain/feeds.ts';

const AVRO_MAGIC = [0x4f, 0x62, 0x6a, 0x01];
/** PAR1 */
const PARQUET_MAGIC = [0x50, 0x41, 0x52, 0x31];
const SUFFIXES: readonly (readonly [RegExp, FileEncoding])[] = [
  [/\.(json|jsonl|ndjson)$/i, 'json'],
  [/\.(csv|tsv)$/i, 'csv'],
  [/\.avro$/i, 'avro'],
  [/\.parquet$/i, 'parquet'],
];

/**
 * The encoding of a file, by the first of its decompressed bytes where they leave no doubt (a magic number, a brace
 * or bracket), else by its name; undefined where neither tells.
 */
export function detectEncoding(firstBytes: Uint8Array, path: string): FileEncoding | undefined {
  if (AVRO_MAGIC.every((byte, i) => firstBytes[i] === byte)) return 'avro';
  if (PARQUET_MAGIC.every((byte, i) => firstBytes[i] === byte)) return 'parquet';
  const start = firstBytes[0] === 0xef && firstBytes[1] === 0xbb && firstBytes[2] === 0xbf ? 3 : 0;
  const first = firstBytes.subarray(start).find((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d));
  if (first === 0x7b || first === 0x5b) return 'json';
  const name = path.replace(/\.(gz|gzip|zst|zstd)$/i, '');
  return SUFFIXES.find(([suffix]) => suffix.test(name))?.[1];
}
