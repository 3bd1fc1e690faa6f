import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Instance } from '../../src/app/instance.ts';
import type { SourceEvent } from '../../src/app/live/live-source.ts';
import type { ConsumedTopic } from '../../src/app/live/topic-session.ts';
import { TopicSource } from '../../src/app/live/topic-source.ts';
import { laneStart } from '../../src/app/plan-ingest.ts';
import { partitionName } from '../../src/sources/kafka/partition-name.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually } from '../live/open-small-live.ts';
import { PLAIN } from './kafka-settings.ts';
import { makeTopic, withAdmin, withProducer } from './kafka-topic.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-consume-'));
afterAll(() => rmSync(folder, { recursive: true }));
let instances = 0;
const data = () => join(folder, `${++instances}`);

const impression = (number: number, more: object = {}): string =>
  JSON.stringify({
    impression_id: `i${number}`,
    creative_id: 'k',
    user_id: `u${number % 9}`,
    timestamp: '2026-03-02T10:00:00Z',
    website: 'w.example',
    campaign_id: 'c',
    ...more,
  });
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

const sleep = (milliseconds: number, signal?: AbortSignal) =>
  wait(Math.min(milliseconds, 100), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);

function open(instance: Instance, topic: string, more: Partial<ConsumedTopic> = {}, monotonicMs = () => performance.now()) {
  const told: SourceEvent[] = [];
  const source = new TopicSource(instance, {
    consumed: { feed: 'ad-impressions', topic, from: 'earliest', format: { encoding: 'json' }, ...more },
    client: PLAIN,
    firstStageRow: laneStart(1),
    onEvent: (event) => told.push(event),
    sleep,
    monotonicMs,
  });
  source.start();
  return { source, told };
}

const send = (topic: string, values: readonly (string | null)[], partition?: number) =>
  withProducer(PLAIN, async (producer) => {
    await producer.send({
      messages: values.map((value) => ({
        topic,
        value: value === null ? (null as unknown as Buffer) : Buffer.from(value),
        ...(partition === undefined ? {} : { partition }),
      })),
      acks: -1,
    });
  });

const idsOf = async ({ engine }: Instance): Promise<string[]> =>
  (
    await engine.withReader(null, (reader) =>
      reader.rows('select impression_id as id from silver.impressions order by try_cast(substr(impression_id, 2) as bigint)'),
    )
  ).map(({ id }) => String(id));
const ledgerOf = async ({ engine }: Instance) =>
  engine.withReader(null, (reader) =>
    reader.rows(
      "select split_part(source, '@', 1) as source, cast(sum(received) as bigint) as received, cast(sum(accepted) as bigint) as accepted, cast(sum(duplicate) as bigint) as duplicate, cast(sum(quarantined) as bigint) as quarantined from ops.ledger group by 1 order by 1",
    ),
  );
const ids = (from: number, to: number) => numbers(from, to).map((number) => `i${number}`);

describe('a topic', () => {
  it('is taken by partition and offset, each message once, and goes on where the tables have it', async () => {
    const topic = await makeTopic(PLAIN, 3);
    await withInstance(data(), {}, async (instance) => {
      await send(
        topic,
        numbers(0, 300).map((number) => impression(number)),
      );
      const first = open(instance, topic);
      await eventually(() => first.source.status().takenRecords === 300);
      await first.source.stop();
      await send(
        topic,
        numbers(300, 500).map((number) => impression(number)),
      );
      const second = open(instance, topic);
      await eventually(() => second.source.status().takenRecords === 200);
      await eventually(() => second.source.status().state === 'idle');
      await second.source.stop();
      expect(await idsOf(instance)).toEqual(ids(0, 500));
      const ledger = await ledgerOf(instance);
      expect(ledger.map(({ source }) => source)).toEqual([0, 1, 2].map((partition) => `kafka:${topic}/${partition}`));
      expect(ledger.reduce((sum, { received }) => sum + Number(received), 0)).toBe(500);
      const positions = await instance.engine.rows('select source, position from silver.impressions order by all');
      expect(new Set(positions.map(({ source, position }) => `${source} ${position}`)).size).toBe(500);
      expect([...first.told, ...second.told]).toEqual([]);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('may hold what is no record: it is in quarantine once, whole, and nothing waits for it', async () => {
    const topic = await makeTopic(PLAIN, 2);
    await withInstance(data(), {}, async (instance) => {
      const poison = ['{"half":', `${impression(900)}${impression(901)}`, '', impression(902, { timestamp: 'yesterday' }), null];
      await send(topic, [impression(0), ...poison, impression(1)], 0);
      await send(topic, [impression(2), impression(0), impression(1, { website: 'other.example' })], 1);
      const { source } = open(instance, topic);
      await eventually(() => source.status().takenRecords === 10);
      await source.stop();
      expect(await idsOf(instance)).toEqual(['i0', 'i1', 'i2']);
      expect(await ledgerOf(instance)).toEqual([
        { source: `kafka:${topic}/0`, received: 7n, accepted: expect.any(BigInt), duplicate: expect.any(BigInt), quarantined: expect.any(BigInt) },
        { source: `kafka:${topic}/1`, received: 3n, accepted: expect.any(BigInt), duplicate: expect.any(BigInt), quarantined: expect.any(BigInt) },
      ]);
      const quarantined = await instance.engine.rows(
        "select code, raw::varchar as raw, position from ops.quarantine where source like '%/0@%' order by position",
      );
      expect(quarantined.slice(0, 5).map(({ code, position }) => `${position} ${code}`)).toEqual([
        '1 malformed',
        '2 malformed',
        '3 malformed',
        '4 bad_timestamp',
        '5 malformed',
      ]);
      const conflicts = await instance.engine.rows("select code, decode(raw) as raw from ops.quarantine where code = 'id_conflict'");
      expect(conflicts.map(({ raw }) => JSON.parse(String(raw)).impression_id)).toEqual(['i1']);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('begins with what comes where it is told to, also after a restart', async () => {
    const topic = await makeTopic(PLAIN, 2);
    await send(
      topic,
      numbers(0, 50).map((number) => impression(number)),
    );
    await withInstance(data(), {}, async (instance) => {
      const first = open(instance, topic, { from: 'latest' });
      await eventually(() => first.source.status().state === 'idle' && first.source.figures().partitions.length === 2);
      await first.source.stop();
      await send(
        topic,
        numbers(100, 150).map((number) => impression(number)),
      );
      const second = open(instance, topic, { from: 'latest' });
      await eventually(() => second.source.status().takenRecords === 50);
      await second.source.stop();
      expect(await idsOf(instance)).toEqual(ids(100, 150));
    });
  });

  it('is waited for where it is not there yet, and taken once it is', async () => {
    await withInstance(data(), {}, async (instance) => {
      const topic = `test-later-${instances}-${process.pid}`;
      const { source, told } = open(instance, topic);
      await eventually(() => source.status().state === 'failing');
      expect(source.status().trouble).toContain(`There is no topic ${topic}`);
      await withAdmin(PLAIN, (admin) => admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 }));
      await send(topic, [impression(1)]);
      await eventually(() => source.status().takenRecords === 1);
      await source.stop();
      expect(told.map(({ level }) => level)).toEqual(['warning', 'note']);
      expect(await idsOf(instance)).toEqual(['i1']);
    });
  });

  it('waits while the disk is full', async () => {
    const topic = await makeTopic(PLAIN, 1);
    let free = 1;
    await withInstance(data(), { measureDisk: async () => ({ freeBytes: free, totalBytes: 1e12, usedBytes: 0 }) }, async (instance) => {
      const { source } = open(instance, topic);
      await send(topic, [impression(1)]);
      await eventually(() => source.status().state === 'failing');
      expect(await idsOf(instance)).toEqual([]);
      free = 1e12;
      await eventually(() => source.status().takenRecords === 1);
      await source.stop();
      expect(await idsOf(instance)).toEqual(['i1']);
    });
  });

  it('that is deleted and made again is another one: it is taken from its beginning, and said so', async () => {
    const topic = await makeTopic(PLAIN, 1);
    await withInstance(data(), {}, async (instance) => {
      const { source, told } = open(instance, topic);
      await send(
        topic,
        numbers(0, 20).map((number) => impression(number)),
      );
      await eventually(() => source.status().takenRecords === 20);
      await withAdmin(PLAIN, async (admin) => {
        await admin.deleteTopics({ topics: [topic] });
        await eventually(async () => !(await admin.listTopics()).includes(topic));
        await eventually(() =>
          admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 }).then(
            () => true,
            () => false,
          ),
        );
      });
      await send(
        topic,
        numbers(100, 110).map((number) => impression(number)),
      );
      await eventually(() => source.status().takenRecords === 30);
      await source.stop();
      expect(await idsOf(instance)).toEqual([...ids(0, 20), ...ids(100, 110)]);
      expect(told.map(({ message }) => message).join('\n')).toContain('is another one than before');
    });
  });

  it('whose messages were deleted before they were taken says how many', async () => {
    const topic = await makeTopic(PLAIN, 1);
    await withInstance(data(), {}, async (instance) => {
      await send(
        topic,
        numbers(0, 20).map((number) => impression(number)),
      );
      const first = open(instance, topic);
      await eventually(() => first.source.status().takenRecords === 20);
      await first.source.stop();
      await send(
        topic,
        numbers(20, 60).map((number) => impression(number)),
      );
      await withAdmin(PLAIN, (admin) => admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 50n }] }] }));
      const second = open(instance, topic);
      await eventually(() => second.source.status().takenRecords === 10);
      await second.source.stop();
      expect(second.source.figures().partitions).toEqual([{ lag: 0, taken: 10, lost: 30 }]);
      expect(second.told.map(({ message }) => message)).toEqual([expect.stringContaining('30 messages')]);
      expect(await idsOf(instance)).toEqual([...ids(0, 20), ...ids(50, 60)]);
    });
  });

  it('that ends before what the tables have of it is waited for, and then taken from its end on', async () => {
    const topic = await makeTopic(PLAIN, 1);
    await send(topic, [impression(1)]);
    await withInstance(data(), {}, async (instance) => {
      const id = await withAdmin(PLAIN, async (admin) => (await admin.metadata({ topics: [topic] })).topics.get(topic)?.id ?? '');
      const position = { source: partitionName(topic, id, 0), feed: 'ad-impressions', nextEntry: 100, nextRecord: 100, unknownFields: [] } as const;
      await instance.batches.apply({
        cause: 'late',
        chunks: [],
        files: [],
        positions: [position],
        stagingDirectory: instance.directory.staging,
        readRaw: async () => [],
      });
      let now = 0;
      const { source, told } = open(instance, topic, {}, () => now);
      await eventually(() => source.status().trouble.includes('ends at offset 1, and the tables have it up to 100'));
      await send(topic, [impression(2)]);
      await wait(500);
      expect(await idsOf(instance)).toEqual([]);
      now = 60_000;
      await eventually(() => source.status().state === 'idle');
      await send(topic, [impression(3)]);
      await eventually(() => source.status().takenRecords === 1);
      await source.stop();
      expect(await idsOf(instance)).toEqual(['i3']);
      expect(told.map(({ message }) => message).join('\n')).toContain('its brokers lost them');
    });
  });

  it('that gets more partitions is taken from all of them', async () => {
    const topic = await makeTopic(PLAIN, 1);
    await withInstance(data(), {}, async (instance) => {
      const { source } = open(instance, topic);
      await send(topic, [impression(1)]);
      await eventually(() => source.status().takenRecords === 1);
      await withAdmin(PLAIN, (admin) => admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] }] }));
      await wait(500);
      await send(topic, [impression(2)], 2);
      await eventually(() => source.status().takenRecords === 2, 40_000);
      await source.stop();
      expect(await idsOf(instance)).toEqual(['i1', 'i2']);
    });
  });

  it('may hold transactions: what was not committed is left out', async () => {
    const topic = await makeTopic(PLAIN, 1);
    await withInstance(data(), {}, async (instance) => {
      const inTransaction = (from: number, to: number, end: 'commit' | 'abort') =>
        withProducer(
          PLAIN,
          async (producer) => {
            const transaction = await producer.beginTransaction();
            await transaction.send({ messages: numbers(from, to).map((number) => ({ topic, value: Buffer.from(impression(number)) })) });
            await transaction[end]();
          },
          { idempotent: true, transactionalId: `t-${topic}-${from}` },
        );
      await inTransaction(0, 10, 'commit');
      await inTransaction(10, 20, 'abort');
      await inTransaction(20, 30, 'commit');
      const { source } = open(instance, topic);
      await eventually(() => source.status().takenRecords === 20);
      await eventually(() => source.status().state === 'idle');
      await source.stop();
      expect(await idsOf(instance)).toEqual([...ids(0, 10), ...ids(20, 30)]);
      const ledger = await ledgerOf(instance);
      expect(ledger).toMatchObject([{ received: 20n, accepted: 20n }]);
    });
  });
});
