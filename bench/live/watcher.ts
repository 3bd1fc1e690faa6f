/** `watcher.ts`, forked: reads the figures over HTTP while others send, as a dashboard would, until it is told to stop. Answers with what it saw. */
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';

export interface Watched {
  /** When each state of the tables was seen first: its last batch, and milliseconds since 1970. */
  readonly seen: readonly (readonly [batch: number, at: number])[];
  /** How long each `GET /v1/reports/campaigns` took, milliseconds. */
  readonly reportMillis: readonly number[];
  /** The same without reach, whose users have to be counted anew each time. */
  readonly sumsMillis: readonly number[];
}

const LOOK_EVERY_MS = 20;
const REPORT_EVERY_MS = 1_000;

process.once('message', async (url: string) => {
  let isOver = false;
  process.once('message', () => {
    isOver = true;
  });
  const pool = new Pool(url, { connections: 3 });
  const seen: [number, number][] = [];
  const reportMillis: number[] = [];
  const sumsMillis: number[] = [];
  const look = async (): Promise<void> => {
    for (; !isOver; await wait(LOOK_EVERY_MS)) {
      const { body } = await pool.request({ method: 'GET', path: '/v1/batches?limit=1' });
      const { rows } = (await body.json()) as { readonly rows: readonly { readonly batch_id: number }[] };
      const batch = rows[0]?.batch_id ?? 0;
      if (batch !== seen.at(-1)?.[0]) seen.push([batch, Date.now()]);
    }
  };
  const report = async (path: string, millis: number[]): Promise<void> => {
    for (; !isOver; await wait(REPORT_EVERY_MS)) {
      const asked = performance.now();
      const { body } = await pool.request({ method: 'GET', path });
      await body.dump();
      millis.push(performance.now() - asked);
    }
  };
  await Promise.all([look(), report('/v1/reports/campaigns', reportMillis), report('/v1/reports/campaigns?reach=false', sumsMillis)]);
  await pool.destroy();
  process.send?.({ seen, reportMillis, sumsMillis } satisfies Watched, () => process.disconnect());
});
