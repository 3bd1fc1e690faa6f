import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import avro from 'avsc';
import type { BID_SCHEMA } from '../src/generate/records/bid-record.ts';

/**
 * Rewrites bid requests so that the peers' Avro readers take them, with the same records in the same order.
 *
 * The generator writes user ids as a union of text and long, and now and then a text that is not UTF-8. The product and Spark
 * read both. DuckDB's extension, Polars, DataFusion and cavro refuse one or the other for the whole file, and fastavro, which
 * does not, takes five times as long: a DuckDB peer behind it would lose its race in Python. So every contestant reads these.
 */
export async function rewriteBidRequests(directory: string): Promise<void> {
  for (const name of (await readdir(directory)).filter((file) => file.endsWith('.avro'))) {
    const path = join(directory, name);
    await rewrite(path, `${path}.plain`);
    await rename(`${path}.plain`, path);
  }
}

type BidSchema = typeof BID_SCHEMA;

async function rewrite(from: string, to: string): Promise<void> {
  let encoder: avro.streams.BlockEncoder | undefined;
  let written: Promise<unknown> | undefined;
  const decoder = new avro.streams.BlockDecoder({
    parseHook: (schema) => {
      // Given a schema rather than a type, the encoder writes it out as it is, logical types included.
      encoder = new avro.streams.BlockEncoder(withTextIds(schema as unknown as BidSchema), { codec: 'null' });
      written = once(encoder.pipe(createWriteStream(to)), 'close');
      return avro.Type.forSchema(schema, { typeHook: (part) => (part === 'long' ? bigLong : undefined), wrapUnions: false });
    },
  });
  for await (const bid of createReadStream(from).pipe(decoder) as AsyncIterable<{ auction: { user_id: string | bigint } }>) {
    bid.auction.user_id = String(bid.auction.user_id);
    if (!encoder!.write(bid)) await once(encoder!, 'drain');
  }
  encoder!.end();
  await written;
}

/** The long of the union, with every digit. The timestamp has a logical type, and so stays a number. */
const bigLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

function withTextIds(schema: BidSchema): avro.Schema {
  const copy = structuredClone(schema) as unknown as { fields: { name: string; type: { fields: { name: string; type: unknown }[] } }[] };
  const auction = copy.fields.find((field) => field.name === 'auction')!;
  auction.type.fields.find((field) => field.name === 'user_id')!.type = 'string';
  return copy as unknown as avro.Schema;
}
