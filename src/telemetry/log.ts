import { type Logger, pino } from 'pino';
import { AdvertiseXError } from '../domain/errors.ts';
import { withoutSecrets } from './without-secrets.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What can happen, by the name that a line of the log has for it. */
export type LogEvent =
  | 'started'
  | 'stopping'
  | 'stopped'
  | 'failed'
  | 'recovered'
  | 'batch_committed'
  | 'batch_failed'
  | 'archive_failed'
  | 'log_kept'
  | 'count_failed'
  | 'log_damaged'
  | 'housekeeping_failed'
  | 'source'
  | 'source_failed'
  | 'disk_full'
  | 'disk_low'
  | 'disk_enough'
  | 'disk_unknown'
  | 'request'
  | 'request_failed'
  | 'server_reported'
  | 'reconciled'
  | 'reconciliation_broken'
  | 'reconciliation_failed';

/** All that a line may have beside its sentence: no ids of users, no records, no addresses with their parameters. */
export interface LogFields {
  readonly batch_id?: number;
  readonly cause?: string;
  readonly received?: number;
  readonly accepted?: number;
  readonly duplicate?: number;
  readonly quarantined?: number;
  readonly restated?: number;
  /** By stage. */
  readonly seconds_by_stage?: Readonly<Record<string, number>>;
  readonly seconds?: number;
  readonly retry_in_seconds?: number;
  readonly entries?: number;
  readonly records?: number;
  readonly request_id?: string;
  readonly method?: string;
  /** The pattern of the address. */
  readonly route?: string;
  readonly status?: string;
  /** Others of the same kind that are not logged one by one. */
  readonly more?: number;
  readonly kind?: string;
  /** Of housekeeping. */
  readonly job?: string;
  readonly file?: string;
  readonly equation?: string;
  readonly rows?: number;
  readonly url?: string;
  readonly version?: string;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly event: LogEvent;
  /** A sentence for people. */
  readonly message: string;
  readonly fields?: LogFields;
  readonly error?: unknown;
}

export type Log = (line: LogLine) => void;

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** For people: the sentences alone. */
export function textLog(level: LogLevel, say: { readonly note: (text: string) => void; readonly warn: (text: string) => void }): Log {
  return (line) => {
    if (RANK[line.level] < RANK[level]) return;
    (RANK[line.level] < RANK.warn ? say.note : say.warn)(withoutSecrets(line.message));
  };
}

/** For programs: a JSON object a line. */
export function jsonLog(level: LogLevel, nowMicros: () => number, write: (line: string) => void): Log {
  const logger: Logger = pino(
    {
      level,
      base: { name: 'advertisex', pid: process.pid },
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(nowMicros() / 1_000).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return (line) => {
    if (!logger.isLevelEnabled(line.level)) return;
    const error = line.error === undefined ? {} : { error: describeError(line.error) };
    logger[line.level]({ event: line.event, ...line.fields, ...error }, withoutSecrets(line.message));
  };
}

interface DescribedError {
  readonly code: string;
  readonly message: string;
  /** The next thing to try. */
  readonly next?: string;
  readonly cause?: DescribedError;
  /** Of a defect. */
  readonly stack?: string;
}

const DEEPEST_CAUSE = 4;

function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { code: 'unexpected', message: withoutSecrets(String(error)) };
  const known = error instanceof AdvertiseXError;
  const { code } = error as NodeJS.ErrnoException;
  return {
    code: known ? error.code : typeof code === 'string' ? code : 'unexpected',
    message: withoutSecrets(error.message),
    ...(known ? { next: error.remedy } : {}),
    ...(known || depth > 0 || error.stack === undefined ? {} : { stack: withoutSecrets(error.stack) }),
    ...(error.cause === undefined || depth === DEEPEST_CAUSE ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}
