import { AdvertiseXError, type ErrorCode } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/** A request that is over: of its address the pattern alone. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly status: string;
  readonly seconds: number;
}

/** What comes by the thousand, when it comes: a line each would be more work for a process that has too much already. */
const BY_THE_THOUSAND: ReadonlySet<ErrorCode> = new Set(['server_busy', 'log_busy', 'disk_full', 'log_failed']);
const A_LINE_SECONDS = 5;

/** Requests, as metrics and in the log. */
export class RequestWatch {
  private readonly metrics: Metrics;
  private readonly log: Log;
  private readonly nowSeconds: () => number;
  /** By code: when a line was written last, and how many were left out since. */
  private readonly lines = new Map<ErrorCode, { at: number; leftOut: number }>();

  constructor(metrics: Metrics, log: Log, nowSeconds: () => number) {
    this.metrics = metrics;
    this.log = log;
    this.nowSeconds = nowSeconds;
  }

  answered({ requestId, method, route, status, seconds }: AnsweredRequest): void {
    this.metrics.add('advertisex_http_requests_total', { method, route, status });
    this.metrics.observe('advertisex_http_request_duration_seconds', { route }, seconds);
    this.log({
      level: 'debug',
      event: 'request',
      message: `${method} ${route}: ${status}`,
      fields: { request_id: requestId, method, route, status, seconds: Math.round(seconds * 1_000_000) / 1_000_000 },
    });
  }

  failed(message: string, error: unknown, requestId: string | undefined): void {
    const leftOut = error instanceof AdvertiseXError && BY_THE_THOUSAND.has(error.code) ? this.leftOutBefore(error.code) : 0;
    if (leftOut === undefined) return;
    this.log({
      level: 'warn',
      event: requestId === undefined ? 'server_reported' : 'request_failed',
      message: leftOut === 0 ? message : `${message} (and ${leftOut} more of the same)`,
      fields: { ...(requestId === undefined ? {} : { request_id: requestId }), ...(leftOut === 0 ? {} : { more: leftOut }) },
      error,
    });
  }

  /** How many lines were left out before this one; undefined: this one is, too. */
  private leftOutBefore(code: ErrorCode): number | undefined {
    const now = this.nowSeconds();
    const last = this.lines.get(code);
    if (last !== undefined && now - last.at < A_LINE_SECONDS) {
      last.leftOut++;
      return undefined;
    }
    this.lines.set(code, { at: now, leftOut: 0 });
    return last?.leftOut ?? 0;
  }
}
