import type { NumberedRequest } from './numbered-traffic.ts';

/** What is known of a request by whoever sent it. */
export interface SentRequest extends Pick<NumberedRequest, 'feed' | 'first' | 'count'> {
  /** The life of the process that it was sent to last, from 1. */
  life: number;
  /** How often it was sent. */
  sent: number;
  /** Every time, its sender died before its body was whole. */
  isCut: boolean;
  /** When it was acknowledged, in microseconds since 1970; 0: it was not. */
  answeredAtMicros: number;
  /** Its entry in the log was damaged before anyone had read it. */
  isDestroyed: boolean;
}

/** Statuses that say that the records are on disk, and those that a sender is to come back after. */
const ACKNOWLEDGED = new Set([200, 422]);
const COME_BACK = 503;

/** What every sender remembers, in the memory of a process that nobody kills. */
export class SentRequests {
  readonly all: SentRequest[] = [];
  /** Answers that none of these requests deserves, with how often they came. */
  readonly strange = new Map<string, number>();
  private readonly again: { request: NumberedRequest; sent: SentRequest }[] = [];

  begin(request: NumberedRequest, life: number): SentRequest {
    const { feed, first, count, cutAfterBytes } = request;
    const sent: SentRequest = { feed, first, count, life, sent: 1, isCut: cutAfterBytes !== undefined, answeredAtMicros: 0, isDestroyed: false };
    this.all.push(sent);
    return sent;
  }

  answered(request: NumberedRequest, sent: SentRequest, status: number, body: string, nowMicros: number): void {
    if (ACKNOWLEDGED.has(status)) sent.answeredAtMicros = nowMicros;
    else if (status === COME_BACK) this.unanswered(request, sent);
    else this.strange.set(`${status} ${body.slice(0, 200)}`, (this.strange.get(`${status} ${body.slice(0, 200)}`) ?? 0) + 1);
  }

  /** Nothing is known of it now. */
  unanswered(request: NumberedRequest, sent: SentRequest): void {
    if (request.isSentAgain) this.again.push({ request, sent });
  }

  /** One that is to be sent again. It is sent whole. */
  nextAgain(life: number): { request: NumberedRequest; sent: SentRequest } | undefined {
    const found = this.again.shift();
    if (found === undefined) return undefined;
    found.sent.life = life;
    found.sent.sent++;
    found.sent.isCut = false;
    return { ...found, request: { ...found.request, cutAfterBytes: undefined, isSentAgain: false } };
  }

  /** The request that a number came with. Requests begin in the order of their numbers. */
  of(number: number): SentRequest | undefined {
    let [low, high] = [0, this.all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.all[middle] as SentRequest).first <= number) low = middle + 1;
      else high = middle;
    }
    const found = this.all[low - 1];
    return found !== undefined && number < found.first + found.count ? found : undefined;
  }
}
