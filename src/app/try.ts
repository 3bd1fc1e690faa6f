import { mkdirSync, rmSync } from 'node:fs';
import { applyBatch } from '../batches/apply-batch.ts';
import { settingsSchema } from '../config/settings.ts';
import { compileContract } from '../contracts/compile-contract.ts';
import { loadContracts } from '../contracts/load-contract.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import { RecordReceiver } from '../ingest/record-receiver.ts';
import { openInstance } from './instance.ts';
import { edgeSettings } from './edge-settings.ts';

rmSync('/tmp/dev/data', { recursive: true, force: true });
mkdirSync('/tmp/dev', { recursive: true });
const contracts = await loadContracts('contracts');
const settings = settingsSchema.parse({});
const now = Date.UTC(2026, 10, 21) * 1000;
const instance = await openInstance({ dataDirectory: '/tmp/dev/data', settings, contracts, access: 'write', command: 'try', nowMicros: () => now, ...(process.env.STEPS ? { onStep: (s: string) => console.log(s) } : {}) });
let n = 0;
async function batch(feeds: Record<string, object[]>) {
  const edge = await edgeSettings(instance);
  const chunks: any[] = [];
  for (const [feed, records] of Object.entries(feeds) as [any, object[]][]) {
    const check = compileContract(contracts.get(feed)!, edge.rules[feed as keyof typeof edge.rules]!);
    const origin = { feed, source: `s${n}-${feed}`, encoding: 'json' as const, delimiter: ',', contractVersion: '1', receivedAtMicros: now };
    const r = new RecordReceiver({ check, contracts, origin, currency: 'USD', rates: edge.rates, reportingTimeZone: 'UTC', directory: instance.directory.staging, name: `b${n}-${feed}`, firstStageRow: n++ * 1e6, firstPosition: 0 }, (c) => chunks.push({ ...c, feed, source: origin.source, receivedAtMicros: now }));
    const d = createDecoder({ encoding: 'json', fields: check.paths, maxRecordBytes: 1e6 }, r);
    r.decoder = d;
    d.push(Buffer.from(records.map((x) => JSON.stringify(x)).join('\n')));
    d.end();
    r.flush();
  }
  const t = performance.now();
  const c = await applyBatch(instance, { cause: 'late', chunks, files: [], stagingDirectory: instance.directory.staging, readRaw: async (rs) => rs.map(() => ({ raw: Buffer.from('{}'), encoding: 'json' as const, delimiter: ',', contractVersion: '1' })) });
  console.log(c.batchId, c.outcomes, c.restated, `${(performance.now() - t).toFixed(0)} ms`);
}
const show = async (sql: string) => { const t = await instance.engine.query(sql); const out = []; for await (const r of t.rows) out.push(r); console.table(out.map((r) => Object.fromEntries(r.map((v, i) => [t.columns[i]!.name, v])))); };
await batch({ creatives: [{ creative_id: 'cr1', campaign_id: 'c1' }], campaigns: [{ campaign_id: 'c1', name: 'One', pricing_model: 'cpm', rate: '2.5' }] });
await batch({ 'clicks-conversions': [
  { timestamp: '2026-11-20T10:00:10Z', user_id: 'u1', campaign_id: 'c1', conversion_type: 'click', event_id: 'k1' },
  { timestamp: '2026-11-20T10:00:10.5Z', user_id: 'u1', campaign_id: 'c1', conversion_type: '', event_id: 'k2' },
  { timestamp: '2026-11-20T11:00:10Z', user_id: 'u1', campaign_id: 'c1', conversion_type: 'purchase', value: '10.01' },
  { timestamp: '2026-11-20T11:00:10Z', user_id: 'u2', campaign_id: 'c1', conversion_type: 'purchase', value: '10.01' },
  { timestamp: '2026-11-20T11:00:10Z', user_id: 'u2', campaign_id: 'c1', conversion_type: 'purchase', value: '10.01' },
  { timestamp: 'xx', user_id: 'u2', campaign_id: 'c1', conversion_type: 'purchase', value: '10.01' },
] });
await batch({ 'ad-impressions': [
  { creative_id: 'cr1', user_id: 'u1', timestamp: '2026-11-20T09:59:00Z', website: 'https://www.x.com/a', price: 1.5 },
  { creative_id: 'cr1', user_id: 'u2', timestamp: '2026-11-20T09:59:00Z', website: 'https://www.x.com/a', price: 1.5, impression_id: 9007199254740993 },
  { creative_id: 'cr1', user_id: 'u3', timestamp: '2026-11-20T09:59:00Z', website: 'https://www.x.com/a', price: 1.5, impression_id: 'i1' },
  { creative_id: 'cr1', user_id: 'u4', timestamp: '2026-11-20T09:59:00Z', website: 'https://www.x.com/a', price: 1.5, impression_id: 'i1' },
], 'bid-requests': [{ timestamp: 1763632800, auction: { user_id: 'u1', space_id: 's', amount: 2, won: true, clearing_price: 1.2, campaign_id: 'c1' } }] });
await batch({ creatives: [{ creative_id: 'cr1', campaign_id: 'c2', valid_from: '2026-11-20T09:00:00Z' }] });
await show('select event_key, event_time, user_id, campaign_id, valid, invalid_reasons, impression_key, batch_id from silver.clicks');
await show('select event_time, user_id, campaign_id, impression_id, website, batch_id from silver.impressions');
await show('select conversion_key, touch_key, touch_type, campaign_id, last_touch_ppm, linear_value_micros from gold.attribution');
await show('select * from ops.restatements');
await show('select * from ops.batches');
await show('select * from ops.ledger');
await show('select hour, campaign_id, impressions, clicks, valid_clicks, matched_clicks, bid_requests, conversions, last_touch_ppm from gold.campaign_hourly');
await show('select * from gold.campaign_report');
await show('select quarantine_id, code, path, message, position from ops.quarantine');
await instance.close();
