import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeOf } from '../../../test/generate/traffic-files.ts';
import { RandomStream } from '../random-stream.ts';
import { AvroWriter } from './avro-writer.ts';
import { BID_FAULTS } from './bid-faults.ts';
import { BID_SCHEMA, type BidRecord, emptyBid, writeBid } from './bid-record.ts';
import { IMPRESSION_FAULTS } from './impression-faults.ts';
import { spellMoney } from './money-text.ts';
import { RESPONSE_FAULTS } from './response-faults.ts';
import { csvCell } from './response-record.ts';
import { cutTo, isNumberForm, ODD_TIME_FORMS, spellTime } from './time-forms.ts';

const times = fc.integer({ min: Date.UTC(2000, 0, 1) * 1000, max: Date.UTC(2100, 0, 1) * 1000 });

describe('spellTime', () => {
  it('says what is left of the time, in every form', () => {
    fc.assert(
      fc.property(times, fc.constantFrom('millis' as const, ...ODD_TIME_FORMS), (micros, form) => {
        const cut = cutTo(form, micros);
        expect(timeOf(spellTime(form, cut))).toBe(cut);
        expect(cut).toBeLessThanOrEqual(micros);
        expect(Math.floor(cut / 1e6)).toBe(Math.floor(micros / 1e6));
        expect(cutTo(form, cut)).toBe(cut);
        if (isNumberForm(form)) JSON.parse(spellTime(form, cut));
      }),
      { numRuns: 2000 },
    );
  });

  it('writes the forms that it is meant to write', () => {
    const micros = Date.UTC(2025, 9, 20, 23, 5, 9, 42) * 1000 + 7;
    expect(['millis' as const, ...ODD_TIME_FORMS].map((form) => spellTime(form, cutTo(form, micros)))).toEqual([
      '2025-10-20T23:05:09.042Z',
      '2025-10-20T23:05:09.042007Z',
      '2025-10-20T23:05:09Z',
      '2025-10-21T01:05:09.042+02:00',
      '2025-10-20 23:05:09.042Z',
      '2025-10-20T23:05:09.042',
      '2025-10-20T23:05:09.042007500Z',
      '2025-10-20t23:05:09.042z',
      '1761001509',
      '1761001509042',
      '1761001509042007',
      '1761001509.042',
    ]);
  });
});

describe('spellMoney', () => {
  it('is the shortest exact decimal', () => {
    expect([0, 1, 10, 2_350_000, 2_300_000, 5_000_000, 1_000_001, 12_345_600].map(spellMoney)).toEqual([
      '0',
      '0.000001',
      '0.00001',
      '2.35',
      '2.3',
      '5',
      '1.000001',
      '12.3456',
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 42 }), (micros) => {
        expect(Math.round(Number(spellMoney(micros)) * 1e6)).toBe(micros);
        expect(spellMoney(micros)).not.toMatch(/\.$|\.\d*0$/);
      }),
    );
  });
});

describe('csvCell', () => {
  it('quotes what RFC 4180 wants quoted', () => {
    expect(['plain', 'a,b', 'a "b"', 'two\nlines', ''].map(csvCell)).toEqual(['plain', '"a,b"', '"a ""b"""', '"two\nlines"', '']);
  });
});

describe('AvroWriter', () => {
  const long = avsc.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: () => Buffer.alloc(8),
    fromJSON: BigInt,
    toJSON: String,
    isValid: () => true,
    compare: () => 0,
  });
  const written = (write: (out: AvroWriter) => void) => {
    // So small that it must grow.
    const out = new AvroWriter(1);
    write(out);
    return Buffer.from(out.bytes.subarray(0, out.length));
  };
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
  const text = fc.string({ unit: 'binary', maxLength: 90 }).map((value) => value.toWellFormed());

  it('writes longs as another writer does', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        // Up to 2⁵² is what it promises.
        const safe = Math.trunc(value / 2);
        expect(written((out) => out.long(safe)).equals(avsc.Type.forSchema('long').toBuffer(safe))).toBe(true);
      }),
    );
  });

  it('writes longs of up to 63 bits from their digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.integer({ min: 0, max: 63 }), (value, shift) => {
        const number = value >> BigInt(shift);
        expect(long.fromBuffer(written((out) => out.longOfDigits(String(number))))).toBe(number);
      }),
      { numRuns: 1000 },
    );
  });

  it('writes bid requests that another reader reads', () => {
    const type = avsc.Type.forSchema(BID_SCHEMA as never, { registry: { long }, wrapUnions: false } as never);
    const bid = fc.record<BidRecord>({
      requestId: optional(text),
      timestampMicros: times,
      clientId: text,
      userId: text.map((value) => `u${value}`),
      userIdIsNumber: fc.constant(false),
      spaceId: text,
      amount: fc.double({ noNaN: true }),
      campaignId: optional(text),
      creativeId: optional(text),
      won: optional(fc.boolean()),
      clearingPrice: optional(fc.double({ noNaN: true })),
      currency: optional(text),
      age: optional(text),
      location: optional(text),
      gender: optional(text),
    });
    fc.assert(
      fc.property(bid, optional(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })), (record, number) => {
        const sent = number === null ? record : { ...record, userId: String(number), userIdIsNumber: true };
        const { request_id, timestamp, bidder, auction, targeting } = type.fromBuffer(written((out) => writeBid(sent, out)));
        expect({
          requestId: request_id,
          timestampMicros: Number(timestamp),
          clientId: bidder.client_id,
          userId: String(auction.user_id),
          userIdIsNumber: typeof auction.user_id === 'bigint',
          spaceId: auction.space_id,
          amount: auction.amount,
          campaignId: auction.campaign_id,
          creativeId: auction.creative_id,
          won: auction.won,
          clearingPrice: auction.clearing_price,
          currency: auction.currency,
          ...targeting,
        }).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });
});

describe('faults', () => {
  it.each([
    ['impressions', IMPRESSION_FAULTS, 36],
    ['clicks and conversions', RESPONSE_FAULTS, 18],
    ['bid requests', BID_FAULTS, 12],
  ] as const)('of %s are many, and each says where', (_, faults, atLeast) => {
    expect(faults.length).toBeGreaterThanOrEqual(atLeast);
    expect(new Set(faults.map(({ sort }) => sort)).size).toBe(faults.length);
    for (const { code, pointer, sort, change } of faults) {
      expect(pointer === '', sort).toBe(code === 'malformed');
      // Lines are written a byte a character: anything else would be broken in another way than it says.
      if (typeof change === 'object') expect(Object.values(change).join(''), sort).toMatch(/^\p{ASCII}*$/u);
    }
  });

  it('of bid requests are still Avro of the schema, but for the invalid UTF-8', () => {
    const random = new RandomStream('faults', 'test');
    const type = avsc.Type.forSchema(BID_SCHEMA as never, { wrapUnions: false } as never);
    for (const { change, sort } of BID_FAULTS) {
      const record = { ...emptyBid(), userId: 'u-1', spaceId: 'sp-1', timestampMicros: 1_761_001_509_042_007 };
      Object.assign(record, typeof change === 'function' ? change(record, random) : change);
      const out = new AvroWriter();
      writeBid(record, out);
      expect(() => type.fromBuffer(Buffer.from(out.bytes.subarray(0, out.length))), sort).not.toThrow();
    }
  });
});
