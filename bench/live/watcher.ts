/** `watcher.ts`, forked: reads the figures over HTTP while others send, as a dashboard would, until it is told to stop. Answers with what it saw. */
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';

export interface Watched {
  /** When each state of the tables was seen first: its last batch, and milliseconds since 1970. */
  readonly seen: readonly (readonly [batch: number, at: number])[];
  /** How long each campaign report of all days took, once a second and without reach, milliseconds. */
  readonly sumsMillis: readonly number[];
  /** The report of today with reach, whose users have to be counted anew each time, now and then. */
  readonly reachMillis: readonly number[];
  /** Answers that were none: their status and type. */
  readonly refusals: readonly string[];
}

const LOOK_EVERY_MS = 20;
const REPORT_EVERY_MS = 1_000;
const REACH_EVERY_MS = 20_000;

process.once('message', async (url: string) => {
  let isOver = false;
  process.once('message', () => {
    isOver = true;
  });
  const pool = new Pool(url, { connections: 3 });
  const seen: [number, number][] = [];
  const refusals: string[] = [];
  const sumsMillis: number[] = [];
  const reachMillis: number[] = [];
  const look = async (): Promise<void> => {
    for (; !isOver; await wait(LOOK_EVERY_MS)) {
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/v1/batches?limit=1' });
      const answer = (await body.json()) as { readonly rows?: readonly { readonly batch_id: number }[]; readonly type?: string };
      if (statusCode !== 200) {
        refusals.push(`${statusCode} ${answer.type}`);
        continue;
      }
      const batch = answer.rows?.[0]?.batch_id ?? 0;
      if (batch !== seen.at(-1)?.[0]) seen.push([batch, Date.now()]);
    }
  };
  const report = async (path: string, everyMs: number, millis: number[]): Promise<void> => {
    for (; !isOver; await wait(everyMs)) {
      const asked = performance.now();
      const { statusCode, body } = await pool.request({ method: 'GET', path });
      const text = await body.text();
      if (statusCode === 200) millis.push(performance.now() - asked);
      else refusals.push(`${statusCode} ${(JSON.parse(text) as { type?: string }).type}`);
    }
  };
  const today = new Date().toISOString().slice(0, 10);
  await Promise.all([
    look(),
    report('/v1/reports/campaigns?reach=false', REPORT_EVERY_MS, sumsMillis),
    report(`/v1/reports/campaigns?from=${today}`, REACH_EVERY_MS, reachMillis),
  ]);
  await pool.destroy();
  process.send?.({ seen, sumsMillis, reachMillis, refusals } satisfies Watched, () => process.disconnect());
});
