import { AvroContainer } from '../../generate/output/record-containers.ts';
import { AvroWriter } from '../../generate/records/avro-writer.ts';
import { BID_SCHEMA, type BidRecord, writeBid } from '../../generate/records/bid-record.ts';
import { csvCell } from '../../generate/records/response-record.ts';
import type { NumberedRecord } from './numbered-records.ts';

/** Everything that senders send: records of one feed, as the body of a request. */
export const FORMS = {
  'application/x-ndjson': (records: readonly NumberedRecord[]) => text(records.map((record) => `${JSON.stringify(nested(record))}\n`).join('')),
  'application/json': (records: readonly NumberedRecord[]) => text(JSON.stringify(records.map(nested))),
  'text/csv': (records: readonly NumberedRecord[]) => text(toCsv(records)),
  'application/cloudevents-batch+json': (records: readonly NumberedRecord[]) =>
    text(JSON.stringify(records.map((record, index) => ({ specversion: '1.0', id: `${index}`, source: '/chaos', type: 'event', data: nested(record) })))),
} as const;

export type Form = keyof typeof FORMS;

/** Bid requests alone: the files of the generator have the schema. */
export function toAvro(records: readonly NumberedRecord[], sync: Buffer): Buffer {
  const parts: Buffer[] = [];
  const sink = { append: (bytes: Buffer, start: number, end: number) => void parts.push(Buffer.from(bytes.subarray(start, end))) };
  const container = new AvroContainer(sink, JSON.stringify(BID_SCHEMA), 'null', sync);
  const writer = new AvroWriter();
  for (const record of records) {
    writer.clear();
    writeBid(bidOf(record), writer);
    container.append(writer.bytes, 0, writer.length);
  }
  container.finish();
  return Buffer.concat(parts);
}

function bidOf(record: NumberedRecord): BidRecord {
  const of = (name: string) => record[name] as string | null;
  const won = of('auction.won');
  const clearing = of('auction.clearing_price');
  return {
    requestId: of('request_id'),
    timestampMicros: Date.parse(of('timestamp') as string) * 1_000,
    clientId: of('bidder.client_id') as string,
    userId: of('auction.user_id') as string,
    userIdIsNumber: false,
    spaceId: of('auction.space_id') as string,
    amount: Number(of('auction.amount')),
    campaignId: of('auction.campaign_id'),
    creativeId: null,
    won: won === null ? null : won === 'true',
    clearingPrice: clearing === null ? null : Number(clearing),
    currency: null,
    age: of('targeting.age'),
    location: null,
    gender: null,
  };
}

function nested(record: NumberedRecord): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(record)) {
    if (value === null) continue;
    const [group = '', name] = path.split('.');
    if (name === undefined) result[group] = value;
    else result[group] = { ...(result[group] as object | undefined), [name]: value };
  }
  return result;
}

function toCsv(records: readonly NumberedRecord[]): string {
  const names = Object.keys(records[0] ?? {});
  const row = (values: readonly unknown[]) => `${values.map((value) => csvCell(String(value ?? ''))).join(',')}\n`;
  return row(names) + records.map((record) => row(names.map((name) => record[name]))).join('');
}

function text(body: string): Buffer {
  return Buffer.from(body);
}
