import { join } from 'node:path';
import avro from 'avsc';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../contracts/contract.ts';
import { loadContracts } from '../../contracts/load-contract.ts';
import type { Encoding, Feed } from '../../domain/feeds.ts';
import { type MessageColumns, MessageWriter, type WaitingRecord } from './message-writer.ts';

let contracts: ReadonlyMap<Feed, Contract>;
beforeAll(async () => {
  contracts = await loadContracts(join(import.meta.dirname, '../../../contracts'));
});

function write(feed: Feed, encoding: Encoding, input: string | Uint8Array, columns: MessageColumns = 'contract', delimiter = ',') {
  const writer = new MessageWriter({ contract: contracts.get(feed) as Contract, encoding, delimiter, columns, maxRecordBytes: 1_000 });
  const bytes = Buffer.from(input as string);
  const records: WaitingRecord[] = [];
  // In pieces: a message must not share bytes with what is read next.
  for (let at = 0; at < bytes.length; at += 7) {
    const piece = Buffer.from(bytes.subarray(at, at + 7));
    writer.decoder.push(piece);
    records.push(...writer.takeWaiting());
    piece.fill(0);
  }
  writer.decoder.end();
  records.push(...writer.takeWaiting());
  return { records, leftOut: writer.leftOut, complete: writer.decoder.complete };
}

const texts = ({ records }: { records: readonly WaitingRecord[] }) => records.map(({ key, value }) => [key?.toString(), value.toString()]);

describe('MessageWriter', () => {
  it('takes JSON objects as they stand there, of lines and arrays, with the user as key', () => {
    const [one, two] = ['{"user_id": 9007199254740993,  "x":1}', '{"user_id":"u\\u002d2"}'];
    const expected = [
      ['9007199254740993', one],
      ['u-2', two],
    ];
    expect(texts(write('ad-impressions', 'json', `${one}\n${two}\n`))).toEqual(expected);
    expect(texts(write('ad-impressions', 'json', `[${one}, ${two}]`))).toEqual(expected);
    expect(texts(write('bid-requests', 'json', '{"auction":{"user_id":"u-3"}}'))).toEqual([['u-3', '{"auction":{"user_id":"u-3"}}']]);
  });

  it('sends what does not decode too, without a key', () => {
    expect(texts(write('ad-impressions', 'json', '{"user_id":"u-1"}\n{"user_id":\n{"website":"a"}\n'))).toEqual([
      ['u-1', '{"user_id":"u-1"}'],
      [undefined, '{"user_id":'],
      [undefined, '{"website":"a"}'],
    ]);
    const large = `{"user_id":"${'u'.repeat(2_000)}"}`;
    expect(texts(write('ad-impressions', 'json', large))[0]?.[1]).toBe(large.slice(0, 1_000));
  });

  it("puts cells of CSV into the contract's order, quoted where they have to be", () => {
    const csv = 'ip|user_id|mine|timestamp|conversion_type\r\n::1|u-1|x|"a,b"|"say ""hi"""\r\n|u-2|"l\n2"|t|\r\n';
    const rows = texts(write('clicks-conversions', 'csv', csv, 'contract', '|'));
    expect(rows).toEqual([
      ['u-1', '"a,b",u-1,,"say ""hi""",,,,,,,,::1'],
      ['u-2', 't,u-2,,,,,,,,,,'],
    ]);
  });

  it('or leaves rows as they stand in the file, without the header', () => {
    const csv = 'user_id;timestamp\nu-1;"a;b"\nonly-one\n';
    expect(texts(write('clicks-conversions', 'csv', csv, 'file', ';'))).toEqual([
      ['u-1', 'u-1;"a;b"'],
      [undefined, 'only-one'],
    ]);
  });

  it('takes Avro records out of their container, with the schema they were written with; damaged ones are left out', () => {
    const auction = avro.Type.forSchema({ type: 'record', name: 'Auction', fields: [{ name: 'user_id', type: 'string' }] });
    const type = avro.Type.forSchema({ type: 'record', name: 'Bid', fields: [{ name: 'auction', type: auction }] });
    const bids = ['u-1', 'u-2'].map((user_id) => type.toBuffer({ auction: { user_id } }));
    const file = containerOf(JSON.stringify(type.schema()), bids);
    const { records, leftOut, complete } = write('bid-requests', 'avro', file);
    expect(records.map(({ key, value, schema }) => [key?.toString(), type.fromBuffer(value).auction.user_id, JSON.parse(schema ?? '').name])).toEqual([
      ['u-1', 'u-1', 'Bid'],
      ['u-2', 'u-2', 'Bid'],
    ]);
    expect([leftOut, complete]).toEqual([0, true]);
    const cut = write('bid-requests', 'avro', file.subarray(0, -20));
    expect([cut.records.length, cut.leftOut, cut.complete]).toEqual([1, 1, false]);
  });
});

function containerOf(schema: string, records: readonly Buffer[]): Buffer {
  const sync = Buffer.alloc(16, 7);
  const long = (value: number) => avro.Type.forSchema('long').toBuffer(value);
  const text = (value: string) => avro.Type.forSchema('string').toBuffer(value);
  const block = Buffer.concat(records);
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    long(1),
    text('avro.schema'),
    text(schema),
    long(0),
    sync,
    long(records.length),
    long(block.length),
    block,
    sync,
  ]);
}
