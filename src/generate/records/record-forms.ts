import type { RandomStream } from '../random-stream.ts';
import { IdSequence } from '../world/hashing.ts';
import { type BidRecord, emptyBid, writeBid } from './bid-record.ts';
import { emptyImpression, type ImpressionRecord, spellImpression } from './impression-record.ts';
import type { RecordForm } from './record-form.ts';
import { emptyResponse, type ResponseRecord, spellResponse } from './response-record.ts';
import { spellTime } from './time-forms.ts';

/** The ids of everything that happens, one sequence a kind. */
export interface EventIds {
  readonly impressions: IdSequence;
  readonly auctions: IdSequence;
  readonly responses: IdSequence;
  readonly orders: IdSequence;
  /** For broken records, so that their number changes nothing in the others. */
  readonly broken: IdSequence;
}

export function eventIds(random: RandomStream): EventIds {
  return {
    impressions: new IdSequence('im', random.bits()),
    auctions: new IdSequence('au', random.bits()),
    responses: new IdSequence('ev', random.bits()),
    orders: new IdSequence('or', random.bits()),
    broken: new IdSequence('ix', random.bits()),
  };
}

export function impressionForm(ids: EventIds): RecordForm<ImpressionRecord> {
  return {
    blank: emptyImpression,
    write: (record, out) => out.ascii(spellImpression(record)),
    respell: (record) => {
      record.timestamp = `"timestamp":"${spellTime('micros', record.eventMicros)}",`;
    },
    renew: (record) => {
      record.impressionId = `"impression_id":"${ids.broken.next()}",`;
    },
    hasId: (record) => record.impressionId !== '',
    contradict: (record) => {
      record.viewable = record.viewable === ',"viewable":true' ? ',"viewable":false' : ',"viewable":true';
    },
  };
}

export function responseForm(ids: EventIds): RecordForm<ResponseRecord> {
  return {
    blank: emptyResponse,
    write: (record, out) => out.ascii(spellResponse(record)),
    respell: (record) => {
      record.timestamp = spellTime('micros', record.eventMicros);
    },
    renew: (record) => {
      record.eventId = ids.broken.next();
    },
    hasId: (record) => record.eventId !== '' || record.orderId !== '',
    contradict: (record) => {
      record.ip = record.ip === '203.0.113.0' ? '198.51.100.0' : '203.0.113.0';
    },
  };
}

export function bidForm(ids: EventIds): RecordForm<BidRecord> {
  return {
    blank: emptyBid,
    write: writeBid,
    respell: (record) => {
      // Avro leaves little choice; an empty text is a null all the same.
      record.age ??= '';
    },
    renew: (record) => {
      record.requestId = ids.broken.next();
    },
    hasId: (record) => record.requestId !== null,
    contradict: (record) => {
      record.age = record.age === '25-34' ? '35-44' : '25-34';
    },
  };
}
