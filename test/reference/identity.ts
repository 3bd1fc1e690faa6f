/** SEMANTICS §5: which event a record is, and whether two records say the same of it. */
import type { EventType } from './normalise.ts';
import type { Row, Value } from './words.ts';

const EXPLICIT_ID = { impression: 'impression_id', click: 'event_id', conversion: 'event_id', bid_request: 'request_id' } as const;

const NATURAL_PARTS = {
  impression: ['user_id', 'creative_id', 'event_time', 'website'],
  click: ['user_id', 'campaign_id', 'event_time'],
  conversion: ['user_id', 'campaign_id', 'conversion_type', 'event_time', 'value_micros'],
  bid_request: ['user_id', 'space_id', 'event_time', 'amount_cpm_micros'],
} as const;

/** What only a conversion has: in a click's record it is not looked at, and not kept. */
const ONLY_OF_CONVERSIONS = ['conversion_type', 'order_id', 'value_micros'];

/** The columns of an event: all of its contract's fields, but for the one that says which of two events it is. */
export function eventRow(type: EventType, checked: Row): Row {
  const columns = Object.entries(checked).filter(([column]) => column !== 'event_type' && !(type === 'click' && ONLY_OF_CONVERSIONS.includes(column)));
  return Object.fromEntries(columns);
}

export function eventKey(type: EventType, row: Row): string {
  const part = (value: Value | undefined) => (value === null || value === undefined ? '' : String(value));
  const id = row[EXPLICIT_ID[type]];
  const parts =
    id !== null
      ? [type, 'id', part(id)]
      : type === 'conversion' && row['order_id'] !== null
        ? [type, 'order', part(row['order_id']), part(row['conversion_type'])]
        : [type, 'natural', ...NATURAL_PARTS[type].map((column) => part(row[column]))];
  return murmur128(Buffer.from(parts.map((text) => `${text}\x1f`).join('')));
}

/** Two records with one key are duplicates when this is the same: values as received, before anything is resolved or converted. */
export function content(row: Row): string {
  return JSON.stringify(Object.entries(row).map(([column, value]) => [column, typeof value === 'bigint' ? `${value}` : value]));
}

const word = (n: bigint) => n & 0xffff_ffffn;
const rotate = (n: bigint, bits: bigint) => word((n << bits) | (word(n) >> (32n - bits)));
const C = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n];
const K_ROTATION = [15n, 16n, 17n, 18n];
const H_ROTATION = [19n, 17n, 15n, 13n];
const H_CONSTANT = [0x561ccd1bn, 0x0bcaa747n, 0x96cd1c35n, 0x32ac3b17n];

/** MurmurHash3 x86_128 with seed 0, after Austin Appleby's description; 32 hex digits. */
export function murmur128(bytes: Uint8Array): string {
  const h = [0n, 0n, 0n, 0n];
  const blocks = Math.floor(bytes.length / 16);
  const mixed = (k: bigint, lane: number) => word(rotate(word(k * C[lane]!), K_ROTATION[lane]!) * C[(lane + 1) % 4]!);
  for (let block = 0; block < blocks; block++)
    for (let lane = 0; lane < 4; lane++) {
      const at = block * 16 + lane * 4;
      const k = BigInt(bytes[at]!) | (BigInt(bytes[at + 1]!) << 8n) | (BigInt(bytes[at + 2]!) << 16n) | (BigInt(bytes[at + 3]!) << 24n);
      h[lane] = rotate(h[lane]! ^ mixed(k, lane), H_ROTATION[lane]!);
      h[lane] = word(word(h[lane]! + h[(lane + 1) % 4]!) * 5n + H_CONSTANT[lane]!);
    }
  const tail = bytes.subarray(blocks * 16);
  for (let lane = 0; lane < 4; lane++) {
    let k = 0n;
    for (let i = 3; i >= 0; i--) k = (k << 8n) | BigInt(tail[lane * 4 + i] ?? 0);
    if (tail.length > lane * 4) h[lane] = h[lane]! ^ mixed(k, lane);
  }
  for (let lane = 0; lane < 4; lane++) h[lane] = h[lane]! ^ BigInt(bytes.length);
  spread(h);
  for (let lane = 0; lane < 4; lane++) {
    let n = h[lane]!;
    n = word((n ^ (n >> 16n)) * 0x85ebca6bn);
    n = word((n ^ (n >> 13n)) * 0xc2b2ae35n);
    h[lane] = n ^ (n >> 16n);
  }
  spread(h);
  return h.map((n) => n.toString(16).padStart(8, '0')).join('');
}

function spread(h: bigint[]): void {
  h[0] = word(h[0]! + h[1]! + h[2]! + h[3]!);
  for (let lane = 1; lane < 4; lane++) h[lane] = word(h[lane]! + h[0]!);
}
