import type { AvroWriter } from './avro-writer.ts';

/** A bid request on its way to Avro. Nulls are Avro nulls. */
export interface BidRecord {
  requestId: string | null;
  timestampMicros: number;
  clientId: string;
  userId: string;
  /** The user id is digits and goes out as a long. */
  userIdIsNumber: boolean;
  spaceId: string;
  amount: number;
  campaignId: string | null;
  creativeId: string | null;
  won: boolean | null;
  clearingPrice: number | null;
  currency: string | null;
  age: string | null;
  location: string | null;
  gender: string | null;
}

export function emptyBid(): BidRecord {
  return {
    requestId: null,
    timestampMicros: 0,
    clientId: '',
    userId: '',
    userIdIsNumber: false,
    spaceId: '',
    amount: 0,
    campaignId: null,
    creativeId: null,
    won: null,
    clearingPrice: null,
    currency: null,
    age: null,
    location: null,
    gender: null,
  };
}

const optional = (type: string) => ['null', type];

/** The writer's schema of the files. `user_id` is a union because some clients number their users. */
export const BID_SCHEMA = {
  type: 'record',
  name: 'BidRequest',
  namespace: 'com.example.bidder',
  fields: [
    { name: 'request_id', type: optional('string'), default: null },
    { name: 'timestamp', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'bidder', type: { type: 'record', name: 'Bidder', fields: [{ name: 'client_id', type: 'string' }] } },
    {
      name: 'auction',
      type: {
        type: 'record',
        name: 'Auction',
        fields: [
          { name: 'user_id', type: ['string', 'long'] },
          { name: 'space_id', type: 'string' },
          { name: 'amount', type: 'double' },
          { name: 'campaign_id', type: optional('string'), default: null },
          { name: 'creative_id', type: optional('string'), default: null },
          { name: 'won', type: optional('boolean'), default: null },
          { name: 'clearing_price', type: optional('double'), default: null },
          { name: 'currency', type: optional('string'), default: null },
        ],
      },
    },
    {
      name: 'targeting',
      type: {
        type: 'record',
        name: 'Targeting',
        fields: [
          { name: 'age', type: optional('string'), default: null },
          { name: 'location', type: optional('string'), default: null },
          { name: 'gender', type: optional('string'), default: null },
        ],
      },
    },
  ],
} as const;

/** Field by field as `BID_SCHEMA` lays them out. */
export function writeBid(r: BidRecord, out: AvroWriter): void {
  out.optionalText(r.requestId);
  out.long(r.timestampMicros);
  out.text(r.clientId);
  if (r.userIdIsNumber) {
    out.byte(2);
    out.longOfDigits(r.userId);
  } else {
    out.byte(0);
    out.text(r.userId);
  }
  out.text(r.spaceId);
  out.double(r.amount);
  out.optionalText(r.campaignId);
  out.optionalText(r.creativeId);
  if (r.won === null) out.byte(0);
  else {
    out.byte(2);
    out.byte(r.won ? 1 : 0);
  }
  if (r.clearingPrice === null) out.byte(0);
  else {
    out.byte(2);
    out.double(r.clearingPrice);
  }
  out.optionalText(r.currency);
  out.optionalText(r.age);
  out.optionalText(r.location);
  out.optionalText(r.gender);
}
