/**
 * What the edge costs a record on one core, from the bytes of a file, or of messages of one record each, to staged rows, with the fast lane and without:
 *   node bench/edge.ts [--impressions 200000] [--rounds 3]
 * Each figure is the CPU time of the best round.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileContract } from '../src/contracts/compile-contract.ts';
import { loadContracts } from '../src/contracts/load-contract.ts';
import type { Encoding } from '../src/domain/feeds.ts';
import { type ContainerHeader, readHeader, readLong } from '../src/encodings/avro/container-header.ts';
import { createDecoder } from '../src/encodings/create-decoder.ts';
import type { FieldPath } from '../src/encodings/decoder.ts';
import type { SchemaSource } from '../src/encodings/messages.ts';
import { openMessageDecoder } from '../src/encodings/open-message-decoder.ts';
import { openFastLane } from '../src/ingest/fast-lane/fast-lane.ts';
import { RecordReceiver } from '../src/ingest/record-receiver.ts';
import { contractOf } from '../src/staging/staged-tables.ts';
import { confluentMessage, schemasOf } from '../test/encodings/decode-messages.ts';
import { ROOT } from './contestants.ts';
import { raceTraffic } from './traffic.ts';

const { values } = parseArgs({ options: { impressions: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '3' } } });
const CHUNK_BYTES = 524_288;
const MAX_RECORD_BYTES = 1_048_576;
/** As a broker hands them over. */
const BATCH_MESSAGES = 1_000;
const RECEIVED = Date.now() * 1_000;
const contracts = await loadContracts(join(ROOT, 'contracts'));
const { directory: traffic } = await raceTraffic(Number(values.impressions));

const FEEDS = [
  ['ad-impressions', 'json'],
  ['bid-requests', 'avro'],
] as const;

for (const [feed, encoding] of FEEDS) {
  const files = readdirSync(join(traffic, feed)).map((name) => readFileSync(join(traffic, feed, name)));
  const { messages, schemas } = messagesOf(encoding, files);
  for (const form of ['files', 'messages'] as const) {
    const best = { general: Number.POSITIVE_INFINITY, lane: Number.POSITIVE_INFINITY };
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const way of ['general', 'lane'] as const) {
        const push = form === 'files' ? pushFiles(encoding, files) : pushMessages(encoding, messages, schemas);
        best[way] = Math.min(best[way], await stage(feed, encoding, push, way === 'lane'));
      }
    }
    const microseconds = (cpu: number) => `${cpu.toFixed(2)} µs`;
    console.log(
      `${feed.padEnd(16)} ${form.padEnd(8)} general ${microseconds(best.general)}   with the lane ${microseconds(best.lane)}   ${(best.general / best.lane).toFixed(2)} ×`,
    );
  }
}

type Push = (receiver: RecordReceiver, fields: readonly FieldPath[], startNext: (name: string) => void) => Promise<void>;

function pushFiles(encoding: Encoding, files: readonly Uint8Array[]): Push {
  return async (receiver, fields, startNext) => {
    for (const [index, bytes] of files.entries()) {
      startNext(String(index));
      const decoder = createDecoder({ encoding, fields, maxRecordBytes: MAX_RECORD_BYTES, delimiter: ',' }, receiver);
      receiver.decoder = decoder;
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) decoder.push(new Uint8Array(bytes.subarray(at, at + CHUNK_BYTES)));
      decoder.end();
      receiver.flush();
    }
  };
}

function pushMessages(encoding: Encoding, messages: readonly Uint8Array[], schemas: SchemaSource): Push {
  return async (receiver, fields, startNext) => {
    startNext('messages');
    const decoder = openMessageDecoder({ encoding, framing: 'confluent', schemas, fields, maxRecordBytes: MAX_RECORD_BYTES }, receiver);
    receiver.decoder = decoder;
    for (let at = 0; at < messages.length; at += BATCH_MESSAGES) {
      const batch = messages.slice(at, at + BATCH_MESSAGES);
      await decoder.prepare(batch);
      for (const [index, message] of batch.entries()) decoder.push(message, at + index);
    }
    receiver.flush();
  };
}

/** The records of the files, one a message, as a producer with a registry writes them. */
function messagesOf(encoding: Encoding, files: readonly Uint8Array[]): { readonly messages: readonly Uint8Array[]; readonly schemas: SchemaSource } {
  const messages: Uint8Array[] = [];
  const schemas = new Map<string, number>();
  for (const bytes of files) {
    const decoder = createDecoder(
      { encoding, fields: [], maxRecordBytes: MAX_RECORD_BYTES },
      { record: () => keep(decoder.currentRaw()), malformed: () => undefined },
    );
    decoder.push(new Uint8Array(bytes));
    decoder.end();
  }
  function keep(raw: Uint8Array): void {
    if (encoding !== 'avro') {
      messages.push(raw.slice());
      return;
    }
    const { schema, end, sync } = readHeader(raw, 0, raw.length) as ContainerHeader;
    const id = schemas.get(schema) ?? schemas.size + 1;
    schemas.set(schema, id);
    // One block of one record: how many, how long, and the record.
    const size = readLong(raw, end + 1, raw.length) as { readonly behind: number };
    messages.push(confluentMessage(id, raw.subarray(size.behind, raw.length - sync.length)));
  }
  return { messages, schemas: schemasOf(...schemas.keys()) };
}

/** CPU time a record, in microseconds. */
async function stage(feed: (typeof FEEDS)[number][0], encoding: Encoding, push: Push, withLane: boolean): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'advertisex-edge-'));
  const rules = { nullSpellings: ['', 'null', 'NULL', '-'], timeZone: 'UTC' };
  const check = compileContract(contractOf(feed, contracts), rules);
  const shared = { contracts, currency: 'USD', rates: [], reportingTimeZone: 'UTC' };
  const fastLane = withLane ? openFastLane({ ...shared, contract: check.contract, rules, maxRecordBytes: MAX_RECORD_BYTES, worthBytes: 0 }) : undefined;
  const receiver = new RecordReceiver({ ...shared, feed, check, fastLane });
  let records = 0;
  const before = process.cpuUsage();
  await push(receiver, check.paths, (name) =>
    receiver.start({
      origin: { feed, source: name, encoding, delimiter: ',', contractVersion: '1', receivedAtMicros: RECEIVED },
      directory,
      name,
      firstStageRow: 0,
      firstPosition: 0,
      chunkRecords: Number.POSITIVE_INFINITY,
      onChunk: ({ received }) => {
        records += received;
      },
    }),
  );
  const { user, system } = process.cpuUsage(before);
  rmSync(directory, { recursive: true });
  return (user + system) / records;
}
