import { Agent, request as openRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { NumberedRequest, NumberedTraffic } from './numbered-traffic.ts';
import type { SentRequest, SentRequests } from './sent-requests.ts';

export interface SenderOptions {
  readonly traffic: NumberedTraffic;
  readonly requests: SentRequests;
  readonly connections: number;
  readonly recordsPerSecond: number;
  readonly nowMicros: () => number;
}

/** Who was held up does not send everything at once afterwards. */
const MOST_BEHIND_MILLIS = 500;
/** A process that stops takes no connections, long before it is gone. */
const NOBODY_THERE_MILLIS = 20;

/** Connections that send for as long as a process lives, and note every answer. */
export class Senders {
  private readonly options: SenderOptions;

  constructor(options: SenderOptions) {
    this.options = options;
  }

  /** Until the signal is aborted and nothing is under way any more. */
  async send(url: string, life: number, signal: AbortSignal): Promise<void> {
    const { traffic, requests, connections, recordsPerSecond } = this.options;
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    let nextAt = performance.now();
    const lane = async (): Promise<void> => {
      while (!signal.aborted) {
        const again = requests.nextAgain(life);
        const request = again?.request ?? traffic.next();
        const sent = again?.sent ?? requests.begin(request, life);
        const now = performance.now();
        nextAt = Math.max(nextAt, now - MOST_BEHIND_MILLIS) + (1_000 * request.count) / recordsPerSecond;
        while (!signal.aborted && (await this.sendOne(agent, `${url}/v1/events/${request.feed}`, request, sent)) === 'not-sent')
          await wait(NOBODY_THERE_MILLIS);
        if (nextAt > now) await wait(nextAt - now, undefined, { signal }).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: connections }, lane));
    agent.destroy();
  }

  private async sendOne(agent: Agent, url: string, request: NumberedRequest, sent: SentRequest): Promise<'sent' | 'not-sent'> {
    const { requests, nowMicros } = this.options;
    try {
      const { status, body } = await post(agent, url, request);
      requests.answered(request, sent, status, body, nowMicros());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return 'not-sent';
      requests.unanswered(request, sent);
    }
    return 'sent';
  }
}

function post(agent: Agent, url: string, { headers, body, cutAfterBytes }: NumberedRequest): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const sending = openRequest(url, { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } }, (response) => {
      isAnswered = true;
      const { statusCode: status = 0 } = response;
      text(response).then((received) => resolve({ status, body: received }), reject);
    });
    sending.once('error', reject);
    sending.once('close', () => isAnswered || reject(new Error('The connection is gone')));
    if (cutAfterBytes === undefined) sending.end(body);
    else sending.write(body.subarray(0, cutAfterBytes), () => sending.destroy());
  });
}
