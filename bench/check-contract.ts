/**
 * What checking one record against its contract costs on one core: `node bench/check-contract.ts [records]`.
 * The records are decoded already (slots filled beforehand), so this is the check alone. The best of many short rounds counts:
 * others on the machine only ever make it slower, and a short round now and then meets none.
 */
import { join } from 'node:path';
import { compileContract } from '../src/contracts/compile-contract.ts';
import type { Contract } from '../src/contracts/contract.ts';
import { loadContracts } from '../src/contracts/load-contract.ts';
import type { Feed } from '../src/domain/feeds.ts';
import { RecordSlots, ValueKind } from '../src/encodings/record-slots.ts';

type Values = Readonly<Record<string, string | number | boolean>>;

const RECEIVED_AT = Date.UTC(2026, 2, 15) * 1_000;
// Few enough to stay in the cache beside the code, as the one record that a decoder fills does.
const DISTINCT_RECORDS = 64;
const ROUNDS = 400;
const count = Number(process.argv[2] ?? 10_000);

const contracts = await loadContracts(join(import.meta.dirname, '..', 'contracts'));
measure('impression, 15 fields', 'ad-impressions', (n) => ({
  creative_id: `cr-${20_000 + (n % 700)}`,
  user_id: `u-${uuid(n * 7919)}`,
  timestamp: time(n),
  website: `site-${n % 90}.example.com`,
  impression_id: uuid(n),
  campaign_id: `cmp-${1_000 + (n % 40)}`,
  auction_id: `auc-${99_000_000 + n}`,
  placement_id: `homepage-top-${n % 12}`,
  price: (n % 5_000) / 1_000 + 0.25,
  currency: 'USD',
  user_agent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  ip: `203.0.113.${n % 250}`,
  country: 'DE',
  device_type: ['desktop', 'mobile', 'tablet', 'ctv'][n % 4] as string,
  viewable: n % 3 !== 0,
}));
measure('click, 8 fields', 'clicks-conversions', (n) => ({
  timestamp: time(n),
  user_id: `u-${uuid(n * 7919)}`,
  campaign_id: `cmp-${1_000 + (n % 40)}`,
  conversion_type: n % 10 === 0 ? 'purchase' : '',
  event_id: uuid(n),
  creative_id: `cr-${20_000 + (n % 700)}`,
  order_id: n % 10 === 0 ? `2026-${n}` : '',
  value: n % 10 === 0 ? '59.90' : '',
}));
measure('bid request, 10 fields', 'bid-requests', (n) => ({
  timestamp: time(n),
  'auction.user_id': `u-${uuid(n * 7919)}`,
  'auction.space_id': `space-${n % 300}`,
  'auction.amount': (n % 3_000) / 1_000 + 0.1,
  'auction.campaign_id': `cmp-${1_000 + (n % 40)}`,
  'auction.won': n % 4 === 0,
  request_id: uuid(n),
  'bidder.client_id': `client-${n % 31}`,
  'targeting.age': '25-34',
  'targeting.location': 'Berlin, DE',
}));

function measure(title: string, feed: Feed, record: (n: number) => Values): void {
  const contract = contracts.get(feed) as Contract;
  const check = compileContract(contract, { nullSpellings: ['', 'null', 'NULL', '-', 'n/a', 'N/A'], timeZone: 'UTC' });
  const records = fillAll(
    contract,
    Array.from({ length: DISTINCT_RECORDS }, (_, n) => record(n)),
  );
  let best = Number.POSITIVE_INFINITY;
  let refused = 0;
  const allocated: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const heap = process.memoryUsage().heapUsed;
    const started = process.hrtime.bigint();
    for (let n = 0; n < count; n++) {
      if (!check.check(records[n % DISTINCT_RECORDS] as RecordSlots, RECEIVED_AT)) refused++;
    }
    best = Math.min(best, Number(process.hrtime.bigint() - started) / 1_000 / count);
    allocated.push(process.memoryUsage().heapUsed - heap);
  }
  if (refused > 0) throw new Error(`${title}: ${refused} records were refused: ${check.result.violations[0]?.message}`);
  // The median, because a round in which garbage was collected ends with less than it began.
  const bytes = (allocated.sort((one, other) => one - other)[ROUNDS >> 1] as number) / count;
  console.log(`${title.padEnd(24)} ${best.toFixed(3)} µs and ${bytes.toFixed(1)} bytes of heap a record (best and median of ${ROUNDS} × ${count})`);
}

/** All records' values in one buffer, as a decoder leaves them for a chunk of a file. */
function fillAll(contract: Contract, records: readonly Values[]): RecordSlots[] {
  const buffer = new Uint8Array(Buffer.from(records.map((values) => Object.values(values).join('\n')).join('\n')));
  let position = 0;
  return records.map((values) => {
    const slots = new RecordSlots(contract.fields.length);
    for (const [name, value] of Object.entries(values)) {
      const index = contract.fields.findIndex((field) => field.name === name);
      const length = Buffer.byteLength(String(value));
      const kind = typeof value === 'string' ? ValueKind.text : typeof value === 'number' ? ValueKind.number : ValueKind.boolean;
      slots.set(index, kind, buffer, position, position + length);
      position += length + 1;
    }
    return slots;
  });
}

function time(n: number): string {
  return new Date(Date.UTC(2026, 2, 14) + n * 997).toISOString();
}

function uuid(n: number): string {
  const hex = (n * 2_654_435_761 + 1_234_567).toString(16).padStart(32, '0').slice(-32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
