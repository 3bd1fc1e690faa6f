import { setTimeout as sleep } from 'node:timers/promises';
import { AdvertiseXError, interrupted } from '../../domain/errors.ts';
import { type RegistryAddress, type RegistryAnswer, RegistryConnection } from './registry-connection.ts';

export interface Patience {
  /** How long one request may take. */
  readonly requestMillis: number;
  /** How long a question is asked again and again before it fails. */
  readonly questionMillis: number;
  /** The first pause between two tries; each is twice as long as the one before. */
  readonly firstPauseMillis: number;
}

const USUAL_PATIENCE: Patience = { requestMillis: 5_000, questionMillis: 15_000, firstPauseMillis: 200 };
const LONGEST_PAUSE_MILLIS = 4_000;
/** A registry that asks for more is asked again after this nevertheless. */
const LONGEST_REST_MILLIS = 300_000;
const WORTH_ANOTHER_TRY = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Asks again while a registry does not answer, or says that it cannot, and rests for as long as it is told to. */
export class PatientRegistry {
  private readonly connection: RegistryConnection;
  private readonly patience: Patience;
  private readonly host: string;
  private readonly stopped = new AbortController();
  /** It asked to be left alone until then. */
  private restingUntil = 0;

  constructor(address: RegistryAddress, patience: Partial<Patience> = {}) {
    this.connection = new RegistryConnection(address);
    this.patience = { ...USUAL_PATIENCE, ...patience };
    this.host = new URL(address.url).host;
  }

  /** An answer that says something, good or bad. Throws `registry_failed` where there was none in time. */
  async ask(method: 'GET' | 'POST', path: string, body?: string): Promise<RegistryAnswer> {
    const { questionMillis, firstPauseMillis } = this.patience;
    const giveUpAt = performance.now() + questionMillis;
    let problem = 'it asks to be left alone for longer';
    for (let pause = firstPauseMillis; ; pause = Math.min(LONGEST_PAUSE_MILLIS, 2 * pause)) {
      await this.rest(giveUpAt, problem);
      const answer = await this.tryOnce(method, path, body);
      if (typeof answer !== 'string' && !WORTH_ANOTHER_TRY.has(answer.status)) return answer;
      problem = typeof answer === 'string' ? answer : `it answers ${answer.status}`;
      const asked = typeof answer === 'string' ? undefined : restMillis(answer.retryAfter);
      if (asked !== undefined) this.restingUntil = performance.now() + asked;
      await this.pause(Math.max(pause, asked ?? 0), giveUpAt, problem);
    }
  }

  failed(
    what: string,
    remedy = 'Check registry.url and that the registry is up. A source that needs it tries again by itself, and loses nothing.',
  ): AdvertiseXError {
    return new AdvertiseXError('registry_failed', `The schema registry at ${this.host} ${what}`, remedy);
  }

  /** What is asked at the moment fails. */
  close(): void {
    this.stopped.abort();
    this.connection.close();
  }

  /** The answer, or why there is none. */
  private async tryOnce(method: 'GET' | 'POST', path: string, body: string | undefined): Promise<RegistryAnswer | string> {
    const { requestMillis } = this.patience;
    const late = AbortSignal.timeout(requestMillis);
    try {
      return await this.connection.ask(method, path, body, AbortSignal.any([late, this.stopped.signal]));
    } catch (error) {
      if (this.stopped.signal.aborted) throw interrupted(error);
      return late.aborted ? `there was no answer in ${requestMillis / 1_000} s` : causeOf(error);
    }
  }

  private async rest(giveUpAt: number, problem: string): Promise<void> {
    const millis = this.restingUntil - performance.now();
    if (millis > 0) await this.pause(millis, giveUpAt, problem);
  }

  private async pause(millis: number, giveUpAt: number, problem: string): Promise<void> {
    if (performance.now() + millis > giveUpAt) throw this.failed(`does not answer: ${problem}`);
    await this.sleep(millis);
  }

  private async sleep(millis: number): Promise<void> {
    try {
      await sleep(millis, undefined, { signal: this.stopped.signal });
    } catch (error) {
      throw interrupted(error);
    }
  }
}

/** Of a Retry-After header: seconds, or a date. */
function restMillis(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const millis = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(millis) ? undefined : Math.min(LONGEST_REST_MILLIS, Math.max(0, millis));
}

/** Node's message; several addresses that all fail have one each, and none as a whole. */
function causeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const { message, code } = first as NodeJS.ErrnoException;
  return message || code || 'the connection failed';
}
