import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Producer } from '@platformatic/kafka';
import { afterAll, expect, it } from 'vitest';
import { restartService } from '../../scripts/cluster/cluster.ts';
import { TopicSource } from '../../src/app/live/topic-source.ts';
import { laneStart } from '../../src/app/plan-ingest.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually } from '../live/open-small-live.ts';
import { PLAIN } from './kafka-settings.ts';
import { makeTopic, withProducer } from './kafka-topic.ts';

/** The bugs this hunts: a message that a broker has and the tables have not, one that they have twice, and a position that is not where the tables are. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-consumer-'));
afterAll(() => rmSync(folder, { recursive: true }));

const message = (number: number): string => {
  const user = number % 10 === 9 ? '' : `u${number % 17}`;
  return JSON.stringify({ impression_id: `n${number}`, creative_id: 'k', user_id: user, timestamp: '2026-03-02T10:00:00Z', website: 'w.example' });
};

/** Sends numbered messages one group after the other; says which are on the broker for sure. What fails is sent again, and may be there twice. */
class NumberedTopic {
  readonly acknowledged = new Set<number>();
  private next = 0;
  private isOver = false;
  private sending: Promise<void> = Promise.resolve();

  start(topic: string): void {
    this.sending = withProducer(PLAIN, async (producer) => {
      while (!this.isOver) {
        await this.sendGroup(producer, topic);
        await wait(5);
      }
    });
  }

  private async sendGroup(producer: Producer, topic: string): Promise<void> {
    const group = Array.from({ length: 20 }, () => this.next++);
    for (;;) {
      try {
        await producer.send({ messages: group.map((number) => ({ topic, partition: number % 3, value: Buffer.from(message(number)) })), acks: -1 });
        for (const number of group) this.acknowledged.add(number);
        return;
      } catch {
        await wait(50);
      }
    }
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.sending;
  }
}

async function consumeUntilKilled(
  data: string,
  topic: string,
  { step = '', occurrence = 1, afterMilliseconds }: { step?: string; occurrence?: number; afterMilliseconds?: number },
): Promise<void> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'consume-until-killed.ts'), data, topic, step, `${occurrence}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => {
    if (afterMilliseconds !== undefined) void wait(afterMilliseconds).then(() => child.kill('SIGKILL'));
  });
  // A step that never comes is a failure, not a wait.
  const tooLong = setTimeout(() => child.kill('SIGTERM'), 60_000);
  const [, signal] = await once(child, 'close');
  clearTimeout(tooLong);
  expect(signal).toBe('SIGKILL');
}

it('has every message of the broker in the tables once, wherever the process is killed, and whatever becomes of the broker', async () => {
  const data = join(folder, 'data');
  const topic = await makeTopic(PLAIN, 3);
  const numbered = new NumberedTopic();
  numbered.start(topic);
  const steps = ['begin', 'identify/identities', 'gold/campaign_hourly', 'quarantine/quarantine', 'books', 'commit', 'committed'];
  const kills = [
    ...steps.flatMap((step) => [1, 2].map((occurrence) => ({ step, occurrence }))),
    ...[50, 200, 400, 700].map((afterMilliseconds) => ({ afterMilliseconds })),
  ];
  for (const [index, kill] of kills.entries()) {
    const restarting = index % 6 === 5 ? restartService('kafka', index % 12 === 5 ? 'SIGKILL' : 'SIGTERM') : undefined;
    await consumeUntilKilled(data, topic, kill);
    await restarting;
  }
  await numbered.stop();
  await withInstance(data, {}, async (instance) => {
    const source = new TopicSource(instance, {
      consumed: { feed: 'ad-impressions', topic, from: 'earliest', format: { encoding: 'json' } },
      client: PLAIN,
      firstStageRow: laneStart(1),
      monotonicMs: () => performance.now(),
      onEvent: () => undefined,
      sleep: (milliseconds, signal) => wait(Math.min(milliseconds, 50), undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
    });
    source.start();
    await eventually(() => source.figures().partitions.length === 3 && source.figures().partitions.every(({ lag }) => lag === 0));
    await source.stop();
    const rows = await instance.engine.rows<{ number: bigint; copies: bigint }>(
      `select number, count(*) as copies from (
         select cast(substr(impression_id, 2) as bigint) as number, source, position from silver.impressions
         union all select cast(substr(json_extract_string(decode(raw), '$.impression_id'), 2) as bigint), source, position from ops.quarantine
       ) n group by number, source, position`,
    );
    // Twice at one place: taken twice. At two places: sent twice, as the broker had not answered.
    expect(rows.filter(({ copies }) => copies !== 1n)).toEqual([]);
    const found = new Set(rows.map(({ number }) => Number(number)));
    expect([...numbered.acknowledged].filter((number) => !found.has(number))).toEqual([]);
    expect(numbered.acknowledged.size).toBeGreaterThan(1_000);
    const [books] = await instance.engine.rows('select sum(received)::bigint as received from ops.ledger');
    const [positions] = await instance.engine.rows(
      'select sum(next)::bigint as next from (select source, max(next_entry) as next from store.source_positions group by source) p',
    );
    // Each offset was a message, and each message was received once.
    expect(books?.['received']).toBe(positions?.['next']);
    expect(await brokenEquations(instance)).toEqual([]);
  });
}, 600_000);
