import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { edgeSettings } from '../../src/app/edge-settings.ts';
import type { Instance } from '../../src/app/instance.ts';
import { openRegistry } from '../../src/app/open-registry.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import type { SourceChunk } from '../../src/batches/batch.ts';
import type { MessageOptions } from '../../src/encodings/messages.ts';
import { openMessageDecoder } from '../../src/encodings/open-message-decoder.ts';
import { openReceiver } from '../../src/ingest/open-receiver.ts';
import { avroType } from '../encodings/avro-files.ts';
import { confluentMessage } from '../encodings/decode-messages.ts';
import { withInstance } from '../faults/open-instance.ts';
import { RECEIVED_MICROS } from '../faults/small-day.ts';
import { RegistryServer } from './registry-server.ts';

const BID = {
  type: 'record',
  name: 'Bid',
  fields: [
    { name: 'timestamp', type: 'long' },
    {
      name: 'auction',
      type: {
        type: 'record',
        name: 'Auction',
        fields: [
          { name: 'user_id', type: 'string' },
          { name: 'space_id', type: 'string' },
          { name: 'amount', type: 'double' },
        ],
      },
    },
  ],
};
const bid = (user: string, amount = 1.5) => avroType(BID).toBuffer({ timestamp: BigInt(RECEIVED_MICROS), auction: { user_id: user, space_id: 's', amount } });

let folder: string;
let server: RegistryServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-replay-'));
  server = await RegistryServer.start();
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

const withRegistry = <T>(work: (instance: Instance) => Promise<T>) => withInstance(folder, { settings: { registry: { url: server.url } } }, work);

/** Takes messages of a feed as a topic does, in one batch. */
async function take(instance: Instance, feed: 'bid-requests' | 'ad-impressions', messages: readonly Uint8Array[]): Promise<void> {
  const edge = await edgeSettings(instance);
  const { check, receiver } = openReceiver(feed, edge);
  const chunks: SourceChunk[] = [];
  const encoding = feed === 'bid-requests' ? 'avro' : 'json';
  const origin = { feed, source: 'topic', encoding, delimiter: ',', contractVersion: check.contract.version, receivedAtMicros: RECEIVED_MICROS } as const;
  receiver.start({
    origin,
    directory: instance.directory.staging,
    name: 'topic',
    firstStageRow: 0,
    firstPosition: 0,
    chunkRecords: 1_000,
    onChunk: (chunk) => chunks.push({ ...chunk, ...origin }),
  });
  const registry = openRegistry(instance.settings.registry);
  const options: MessageOptions = { encoding, framing: 'confluent', schemas: registry, fields: check.paths, maxRecordBytes: edge.maxRecordBytes };
  const decoder = openMessageDecoder(options, receiver);
  receiver.decoder = decoder;
  await decoder.prepare(messages);
  for (const [index, message] of messages.entries()) decoder.push(message, index);
  receiver.flush();
  registry.close();
  await instance.batches.apply({ cause: 'late', chunks, files: [], stagingDirectory: instance.directory.staging, readRaw: async () => [] });
}

const inQuarantine = ({ engine }: Instance) =>
  engine.rows<{ position: bigint; code: string; waits: boolean }>(
    'select position, code, replayed_at is null as waits from ops.quarantine order by position, waits',
  );
const users = async ({ engine }: Instance) =>
  (await engine.rows<{ user_id: string }>('select user_id from silver.bid_requests order by user_id')).map(({ user_id }) => user_id);

describe('a replay of messages', () => {
  it('asks the registry anew for schemas that it did not have, and takes what they were written with', async () => {
    await withRegistry(async (instance) => {
      await take(instance, 'bid-requests', [confluentMessage(1, bid('u-1')), confluentMessage(1, Buffer.concat([bid('u-2'), Buffer.from([0])]))]);
      expect(await inQuarantine(instance)).toMatchObject([
        { position: 0n, code: 'unknown_schema' },
        { position: 1n, code: 'unknown_schema' },
      ]);
      server.add('bid-requests-value', BID);
      expect(await replayQuarantine(instance, { code: 'unknown_schema' })).toMatchObject({ replayed: 2, accepted: 1, stillQuarantined: 1 });
      expect(await users(instance)).toEqual(['u-1']);
      expect((await inQuarantine(instance)).filter(({ waits }) => waits).map(({ position }) => position)).toEqual([1n]);
    });
  });

  it('needs no registry for records that broke their contract, and waits for it where it does', async () => {
    await withRegistry(async (instance) => {
      server.add('bid-requests-value', BID);
      await take(instance, 'bid-requests', [confluentMessage(1, bid('u-1', -1)), confluentMessage(7, bid('u-2'))]);
      server.outage = (_, response) => response.writeHead(403).end() !== undefined;
      expect(await replayQuarantine(instance, { code: 'bad_number' })).toMatchObject({ replayed: 1, stillQuarantined: 1 });
      await expect(replayQuarantine(instance, { code: 'unknown_schema' })).rejects.toMatchObject({ code: 'registry_failed' });
      expect((await inQuarantine(instance)).filter(({ waits }) => waits).map(({ code }) => code)).toEqual(['bad_number', 'unknown_schema']);
    });
    // Without one they stay what they are.
    await withInstance(folder, {}, async (instance) => {
      await replayQuarantine(instance, { code: 'unknown_schema' });
      expect((await inQuarantine(instance)).filter(({ waits }) => waits).map(({ code }) => code)).toEqual(['bad_number', 'unknown_schema']);
    });
  });

  it('takes none of several records that came as one', async () => {
    const impression = (user: string) => JSON.stringify({ creative_id: 'c', user_id: user, timestamp: RECEIVED_MICROS, website: 'w.example' });
    await withRegistry(async (instance) => {
      await take(instance, 'ad-impressions', [Buffer.from(`${impression('u-1')}\n${impression('u-2')}`)]);
      expect(await replayQuarantine(instance, {})).toMatchObject({ replayed: 1, accepted: 0, stillQuarantined: 1 });
      expect(await instance.engine.rows('select user_id from silver.impressions')).toEqual([]);
    });
  });
});
