import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Codec, writeAvro } from '../encodings/avro-files.ts';

/** One impression as these files hold it. */
export interface Impression {
  readonly user_id: string;
  readonly creative_id: string;
  readonly timestamp: string;
  readonly website: string;
  readonly device_type: string;
}

/** A file in pieces: whole records, but for what opens and closes the container. */
interface Pieces {
  readonly pieces: readonly Uint8Array[];
  /** Records that end in each piece. */
  readonly records: readonly number[];
}

export interface WrittenFile {
  readonly bytes: Uint8Array;
  /** Where so many records are sure to be whole, whatever follows. */
  readonly safe: readonly { readonly end: number; readonly records: number }[];
}

export interface Format {
  readonly name: string;
  readonly suffix: string;
  /** Anything missing at the end can be told. */
  readonly isContainer: boolean;
  readonly delimiter?: string;
  readonly write: (records: readonly Impression[]) => WrittenFile;
}

const FIELDS = ['user_id', 'creative_id', 'timestamp', 'website', 'device_type'] as const;
const SCHEMA = { type: 'record', name: 'Impression', fields: FIELDS.map((name) => ({ name, type: 'string' })) };
const RECORDS_A_BLOCK = 4;

const ENCODINGS: readonly {
  readonly name: string;
  readonly suffix: string;
  readonly isContainer: boolean;
  readonly pieces: (records: readonly Impression[]) => Pieces;
}[] = [
  { name: 'JSON lines', suffix: 'jsonl', isContainer: false, pieces: (records) => onePiece(records, (record) => `${JSON.stringify(record)}\n`) },
  { name: 'JSON array', suffix: 'json', isContainer: true, pieces: jsonArray },
  { name: 'CSV', suffix: 'csv', isContainer: false, pieces: csv },
  ...(['null', 'deflate', 'snappy', 'zstandard'] as const).map((codec) => ({
    name: `Avro ${codec}`,
    suffix: 'avro',
    isContainer: true,
    pieces: (records: readonly Impression[]) => avro(records, codec),
  })),
];

/** Every encoding, as it is and compressed: in several members or frames, each with whole records. */
export const FORMATS: readonly Format[] = ENCODINGS.flatMap(({ name, suffix, isContainer, pieces }) => [
  { name, suffix, isContainer, write: (records) => joined(pieces(records), (piece) => piece) },
  { name: `${name} in gzip`, suffix: `${suffix}.gz`, isContainer: true, write: (records) => joined(pieces(records), (piece) => gzipSync(piece)) },
  { name: `${name} in zstd`, suffix: `${suffix}.zst`, isContainer: true, write: (records) => joined(pieces(records), (piece) => zstdCompressSync(piece)) },
]);

function joined({ pieces, records }: Pieces, compress: (piece: Uint8Array) => Uint8Array): WrittenFile {
  const compressed = pieces.map(compress);
  let end = 0;
  let whole = 0;
  const safe = compressed.map((piece, index) => {
    end += piece.length;
    whole += records[index] as number;
    return { end, records: whole };
  });
  return { bytes: new Uint8Array(Buffer.concat(compressed)), safe };
}

function onePiece(records: readonly Impression[], write: (record: Impression) => string): Pieces {
  return { pieces: records.map((record) => Buffer.from(write(record))), records: records.map(() => 1) };
}

function jsonArray(records: readonly Impression[]): Pieces {
  // A record of an array is whole at its brace, so the comma goes with the next one.
  const { pieces, records: counts } = onePiece(records, (record) => `${record === records[0] ? '[' : ',\n'}${JSON.stringify(record)}`);
  return { pieces: [...pieces, Buffer.from(']')], records: [...counts, 0] };
}

function csv(records: readonly Impression[]): Pieces {
  const rows = onePiece(records, (record) => `${FIELDS.map((field) => `"${record[field]}"`).join(',')}\r\n`);
  return { pieces: [Buffer.from(`${FIELDS.join(',')}\r\n`), ...rows.pieces], records: [0, ...rows.records] };
}

function avro(records: readonly Impression[], codec: Codec): Pieces {
  const blocks: Impression[][] = [];
  for (let from = 0; from < records.length; from += RECORDS_A_BLOCK) blocks.push(records.slice(from, from + RECORDS_A_BLOCK));
  const { bytes, ends } = writeAvro(SCHEMA, blocks, codec);
  return {
    pieces: ends.map((end, index) => bytes.slice(index === 0 ? 0 : (ends[index - 1] as number), end)),
    records: [0, ...blocks.map((block) => block.length)],
  };
}
