/** `sender.ts`, forked: sends what it is told to, and answers with what became of it. A process of its own, as senders are. */
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { makeRequest } from './requests.ts';

export interface SendOrder {
  readonly url: string;
  readonly eventsARequest: number;
  readonly seconds: number;
  readonly connections: number;
  /** Events a second; absent: as many as are answered. */
  readonly rate?: number;
}

export interface Sent {
  /** By request: when it was answered with 200, in milliseconds since 1970; 0: it was not. */
  readonly answeredAt: readonly number[];
  /** From the first request to the last answer. */
  readonly seconds: number;
}

process.once('message', async (order: SendOrder) => {
  // Disconnected at once, what is sent would be lost where it is much.
  process.send?.(await send(order), () => process.disconnect());
});

async function send({ url, eventsARequest, seconds, connections, rate }: SendOrder): Promise<Sent> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const answeredAt: number[] = [];
  const started = performance.now();
  const isOver = () => performance.now() - started >= seconds * 1_000;
  const sendNext = async (): Promise<void> => {
    const index = answeredAt.push(0) - 1;
    const { feed, body } = makeRequest(index, eventsARequest, Date.now());
    try {
      const response = await pool.request({ method: 'POST', path: `/v1/events/${feed}`, headers: { 'content-type': 'application/x-ndjson' }, body });
      await response.body.dump();
      if (response.statusCode === 200) answeredAt[index] = Date.now();
    } catch {
      // It stays at 0: refused.
    }
  };
  if (rate === undefined) {
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (!isOver()) await sendNext();
      }),
    );
  } else {
    const sending: Promise<void>[] = [];
    for (; !isOver(); await wait(2)) {
      const due = ((performance.now() - started) / 1_000) * (rate / eventsARequest);
      while (answeredAt.length < due) sending.push(sendNext());
    }
    await Promise.all(sending);
  }
  const took = (performance.now() - started) / 1_000;
  await pool.destroy();
  return { answeredAt, seconds: took };
}
