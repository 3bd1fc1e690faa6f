/*
 * What decoding alone costs a record, on one core:
 *   node bench/decode.ts [--records 200000] [--rounds 15]
 * Each figure is the best round's CPU time; the libraries beside it, in the same process, tell how fast the machine is today.
 */
import { parseArgs } from 'node:util';
import avro from 'avsc';
import type { Encoding } from '../src/domain/feeds.ts';
import { createDecoder } from '../src/encodings/create-decoder.ts';
import { openMessageDecoder } from '../src/encodings/open-message-decoder.ts';
import { writeBlocks } from '../test/encodings/avro-files.ts';
import { confluentMessage } from '../test/encodings/decode-messages.ts';
import { Dice } from '../test/encodings/mutate.ts';

const { values } = parseArgs({ options: { records: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '15' } } });
const RECORDS = Number(values.records);
const ROUNDS = Number(values.rounds);
const CHUNK_BYTES = 262_144;
const dice = new Dice(1);

interface Job {
  readonly name: string;
  readonly encoding: Encoding;
  readonly fields: readonly string[];
  readonly bytes: Uint8Array;
  /** The same records one in a message, where they come so too. */
  readonly messages?: readonly Uint8Array[];
  readonly schema?: string;
  readonly library: string;
  /** Reads the same records with the library; returns their number. */
  readonly readWithLibrary: () => number;
}

function impression(): Record<string, string | number | boolean> {
  return {
    impression_id: `imp-${dice.below(2 ** 32).toString(16)}`,
    creative_id: `cr-${dice.below(5000)}`,
    campaign_id: `cmp-${dice.below(500)}`,
    user_id: `u${dice.below(1e9)}`,
    timestamp: new Date(1_767_225_600_000 + dice.below(86_400_000)).toISOString(),
    website: `www.site${dice.below(3000)}.example`,
    placement_id: `pl-${dice.below(100)}`,
    price: dice.below(10_000) / 1000,
    currency: 'USD',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
    ip: `10.1.${dice.below(256)}.7`,
    country: 'DE',
    device_type: 'desktop',
    viewable: dice.below(2) === 0,
    consent_gdpr: true,
  };
}

function impressions(): Job {
  const fields = Object.keys(impression());
  const lines = Array.from({ length: RECORDS }, () => JSON.stringify(impression()));
  const readWithLibrary = () => lines.reduce((count, line) => count + (JSON.parse(line) === null ? 0 : 1), 0);
  const messages = lines.map((line) => Buffer.from(line));
  return { name: 'impressions', encoding: 'json', fields, bytes: Buffer.from(lines.join('\n')), messages, library: 'JSON.parse', readWithLibrary };
}

function clicks(): Job {
  const fields = [
    'event_id',
    'event_type',
    'timestamp',
    'user_id',
    'campaign_id',
    'creative_id',
    'conversion_type',
    'order_id',
    'value',
    'currency',
    'user_agent',
    'ip',
  ];
  const rows = Array.from({ length: RECORDS }, () => {
    const { timestamp, user_id, campaign_id, creative_id, user_agent, ip } = impression();
    const isClick = dice.below(10) > 0;
    const conversion = isClick ? ',,,' : `purchase,ord-${dice.below(1e6)},${dice.below(100_000) / 100},EUR`;
    return `e${dice.below(1e9)},${isClick ? 'click' : 'conversion'},${timestamp},${user_id},${campaign_id},${creative_id},${conversion},"${user_agent}",${ip}`;
  });
  const readWithLibrary = () => rows.reduce((count, row) => count + (row.split(',').length > 0 ? 1 : 0), 0);
  const messages = rows.map((row) => Buffer.from(row));
  return {
    name: 'clicks',
    encoding: 'csv',
    fields,
    bytes: Buffer.from([fields.join(), ...rows].join('\n')),
    messages,
    library: 'String.split',
    readWithLibrary,
  };
}

const nullable = (type: unknown) => ['null', type];
const record = (name: string, fields: Record<string, unknown>) => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([key, type]) => ({ name: key, type })),
});
const AUCTION = record('Auction', {
  user_id: 'string',
  space_id: 'string',
  amount: 'double',
  campaign_id: nullable('string'),
  creative_id: nullable('string'),
  won: nullable('boolean'),
  clearing_price: nullable('double'),
  currency: nullable('string'),
});
const BID_REQUEST = record('BidRequest', {
  request_id: nullable('string'),
  timestamp: { type: 'long', logicalType: 'timestamp-micros' },
  bidder: nullable(record('Bidder', { client_id: 'string', seat: nullable('string') })),
  auction: AUCTION,
  targeting: nullable(record('Targeting', { age: nullable('string'), location: nullable('string'), gender: nullable('string') })),
});

function bidRequests(codec: string): Job {
  const type = avro.Type.forSchema(BID_REQUEST as avro.Schema, { wrapUnions: false });
  const encoded = Array.from({ length: RECORDS }, () => {
    const { impression_id, user_id, campaign_id, creative_id, price } = impression();
    const won = dice.below(4) === 0;
    const auction = {
      user_id,
      space_id: `sp-${dice.below(999)}`,
      amount: price,
      campaign_id,
      creative_id,
      won,
      clearing_price: won ? price : null,
      currency: 'USD',
    };
    const bidder = { client_id: `client-${dice.below(50)}`, seat: null };
    const timestamp = 1_767_225_600_000_000 + dice.below(86_400) * 1_000_003;
    return type.toBuffer({ request_id: impression_id, timestamp, bidder, auction, targeting: { age: '25-34', location: 'DE-BE', gender: null } });
  });
  const blocks = Array.from({ length: Math.ceil(RECORDS / 500) }, (_, i) => encoded.slice(500 * i, 500 * (i + 1)));
  const fields = [
    'timestamp',
    'auction.user_id',
    'auction.space_id',
    'auction.amount',
    'request_id',
    'bidder.client_id',
    'auction.campaign_id',
    'auction.creative_id',
  ];
  fields.push('auction.won', 'auction.clearing_price', 'auction.currency', 'targeting.age', 'targeting.location', 'targeting.gender');
  const readWithLibrary = () => encoded.reduce((count, bytes) => count + (type.fromBuffer(bytes) === null ? 0 : 1), 0);
  return {
    name: `bid requests (${codec})`,
    encoding: 'avro',
    fields,
    bytes: writeBlocks(JSON.stringify(BID_REQUEST), blocks, codec).bytes,
    ...(codec === 'null' ? { messages: encoded.map((bytes) => confluentMessage(1, bytes)), schema: JSON.stringify(BID_REQUEST) } : {}),
    library: 'avsc',
    readWithLibrary,
  };
}

/** Returns the records it saw, and reads every slot a little, as whoever comes behind does. */
function decode({ encoding, fields, bytes }: Job): number {
  let records = 0;
  let filled = 0;
  const decoder = createDecoder(
    { encoding, fields: fields.map((name) => ({ paths: [name.split('.')] })), maxRecordBytes: 1 << 20 },
    {
      record: (slots) => {
        records++;
        filled += slots.ends[0] as number;
      },
      malformed: ({ message }) => {
        throw new Error(message);
      },
    },
  );
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) decoder.push(bytes.subarray(at, at + CHUNK_BYTES));
  decoder.end();
  if (!decoder.complete || filled === 0) throw new Error('not decoded');
  return records;
}

/** The same of messages, in the batches that a broker hands over. */
async function decodeMessages({ encoding, fields, messages = [], schema = '' }: Job): Promise<number> {
  let records = 0;
  const options = {
    fields: fields.map((name) => ({ paths: [name.split('.')] })),
    maxRecordBytes: 1 << 20,
    framing: 'confluent',
    schemas: { byId: async () => ({ format: 'AVRO', text: schema }), candidates: async () => [] },
  } as const;
  const decoder = openMessageDecoder(
    { encoding, ...options },
    {
      record: (slots) => {
        records += (slots.ends[0] as number) > 0 ? 1 : 0;
      },
      malformed: ({ message }) => {
        throw new Error(message);
      },
    },
  );
  for (let at = 0; at < messages.length; at += 1_000) {
    const batch = messages.slice(at, at + 1_000);
    await decoder.prepare(batch);
    for (const [index, message] of batch.entries()) decoder.push(message, at + index);
  }
  return records;
}

async function microsecondsOf(run: () => number | Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    if ((await run()) !== RECORDS) throw new Error('records are missing');
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / RECORDS);
  }
  return best;
}

for (const job of [impressions(), clicks(), bidRequests('null'), bidRequests('deflate'), bidRequests('zstandard'), bidRequests('snappy')]) {
  const cost = await microsecondsOf(() => decode(job));
  const library = await microsecondsOf(job.readWithLibrary);
  const size = (job.bytes.length / RECORDS).toFixed(0);
  console.log(`${job.name.padEnd(26)} ${size.padStart(4)} bytes ${cost.toFixed(2)} µs a record   (${job.library}: ${library.toFixed(2)} µs)`);
  if (job.messages === undefined) continue;
  const messageCost = await microsecondsOf(() => decodeMessages(job));
  console.log(`${''.padEnd(26)} as messages     ${messageCost.toFixed(2)} µs a record, ${Math.round(1e6 / messageCost).toLocaleString('en')} a second`);
}
