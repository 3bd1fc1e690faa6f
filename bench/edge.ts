/**
 * What the edge costs a record on one core, from a file's bytes to staged rows, with the fast lane and without:
 *   node bench/edge.ts [--impressions 200000] [--rounds 3]
 * Each figure is the CPU time of the best round.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileContract } from '../src/contracts/compile-contract.ts';
import { loadContracts } from '../src/contracts/load-contract.ts';
import { createDecoder } from '../src/encodings/create-decoder.ts';
import { openFastLane } from '../src/ingest/fast-lane/fast-lane.ts';
import { RecordReceiver } from '../src/ingest/record-receiver.ts';
import { contractOf } from '../src/staging/staged-tables.ts';
import { ROOT } from './contestants.ts';
import { raceTraffic } from './traffic.ts';

const { values } = parseArgs({ options: { impressions: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '3' } } });
const CHUNK_BYTES = 524_288;
const MAX_RECORD_BYTES = 1_048_576;
const RECEIVED = Date.now() * 1_000;
const contracts = await loadContracts(join(ROOT, 'contracts'));
const { directory: traffic } = await raceTraffic(Number(values.impressions));

const FEEDS = [
  ['ad-impressions', 'json'],
  ['bid-requests', 'avro'],
] as const;

for (const [feed, encoding] of FEEDS) {
  const files = readdirSync(join(traffic, feed)).map((name) => readFileSync(join(traffic, feed, name)));
  const best = { general: Number.POSITIVE_INFINITY, lane: Number.POSITIVE_INFINITY };
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of ['general', 'lane'] as const) best[way] = Math.min(best[way], stage(feed, encoding, files, way === 'lane'));
  }
  const microseconds = (cpu: number) => `${cpu.toFixed(2)} µs`;
  console.log(
    `${feed.padEnd(16)} general ${microseconds(best.general)}   with the lane ${microseconds(best.lane)}   ${(best.general / best.lane).toFixed(2)} ×`,
  );
}

/** CPU time a record, in microseconds. */
function stage(feed: (typeof FEEDS)[number][0], encoding: (typeof FEEDS)[number][1], files: readonly Uint8Array[], withLane: boolean): number {
  const directory = mkdtempSync(join(tmpdir(), 'advertisex-edge-'));
  const rules = { nullSpellings: ['', 'null', 'NULL', '-'], timeZone: 'UTC' };
  const check = compileContract(contractOf(feed, contracts), rules);
  const shared = { contracts, currency: 'USD', rates: [], reportingTimeZone: 'UTC' };
  const fastLane = withLane ? openFastLane({ ...shared, contract: check.contract, rules, maxRecordBytes: MAX_RECORD_BYTES, worthBytes: 0 }) : undefined;
  const receiver = new RecordReceiver({ ...shared, feed, check, fastLane });
  let records = 0;
  const before = process.cpuUsage();
  for (const [index, bytes] of files.entries()) {
    receiver.start({
      origin: { feed, source: `${index}`, encoding, delimiter: ',', contractVersion: '1', receivedAtMicros: RECEIVED },
      directory,
      name: `${index}`,
      firstStageRow: 0,
      firstPosition: 0,
      chunkRecords: Number.POSITIVE_INFINITY,
      onChunk: ({ received }) => {
        records += received;
      },
    });
    const decoder = createDecoder({ encoding, fields: check.paths, maxRecordBytes: MAX_RECORD_BYTES, delimiter: ',' }, receiver);
    receiver.decoder = decoder;
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) decoder.push(new Uint8Array(bytes.subarray(at, at + CHUNK_BYTES)));
    decoder.end();
    receiver.flush();
  }
  const { user, system } = process.cpuUsage(before);
  rmSync(directory, { recursive: true });
  return (user + system) / records;
}
