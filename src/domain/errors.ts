/**
 * Broken systems throw; bad records do not (they are outcomes, see outcome.ts).
 * This is the closed list of what can be broken, each with the usual next thing to do: `docs/errors.md` is made from it.
 */
export const ERROR_CODES = {
  usage: { exit: 2, title: 'The call is wrong', next: 'Read the help of the command: `advertisex <command> --help` shows its options and an example.' },
  config_invalid: {
    exit: 2,
    title: 'The configuration is wrong',
    next: 'Correct the named line. docs/reference/config.md lists every setting and what it may be.',
  },
  contract_invalid: {
    exit: 2,
    title: 'A contract is not valid',
    next: 'Correct the named line of the contract; `advertisex contract check` checks all of them.',
  },
  query_invalid: {
    exit: 2,
    title: 'The query cannot be run',
    next: 'Correct the SQL. `advertisex query "SHOW ALL TABLES"` lists the tables and their columns.',
  },
  query_timeout: {
    exit: 3,
    title: 'A query took longer than is allowed beside a running process',
    next: 'Ask for less at once, or run the process that holds the data with a higher limits.query_seconds.',
  },
  query_too_large: {
    exit: 3,
    title: 'A query needs more memory, or more space for what does not fit, than there is for queries',
    next: 'Ask for less at once: fewer days, fewer columns, sums in place of rows. Or raise limits.memory or limits.query_spill.',
  },
  not_found: {
    exit: 2,
    title: 'What was asked for does not exist',
    next: 'Look for the right name or key: `advertisex status` and `advertisex query` show what there is.',
  },
  batch_folded: {
    exit: 2,
    title: 'Sums cannot be read as of this batch any more',
    next: 'Ask as of one of the batches that the message names; housekeeping.as_of_hours and housekeeping.as_of_days say how long which are kept.',
  },
  data_locked: {
    exit: 3,
    title: 'Another process holds the data directory',
    next: 'Wait until the other process is done, or stop it. The message names its process id.',
  },
  data_unusable: {
    exit: 3,
    title: 'The data directory cannot be used',
    next: 'Check that the folder exists, that its owner is you, and that it can be written; `advertisex doctor` looks at all of it.',
  },
  data_version: {
    exit: 3,
    title: 'The data directory was written with other settings or another version',
    next: 'Use the settings or the version that wrote it, or make the tables again with `advertisex rebuild`.',
  },
  source_unreadable: {
    exit: 3,
    title: 'A source cannot be read',
    next: 'Check the path and its permissions, then run the same command again: what was taken already is not taken twice.',
  },
  kafka_failed: {
    exit: 3,
    title: 'Kafka cannot be reached, or refuses what it is asked',
    next: 'Check the settings of kafka and that the brokers are up. The message has what the client or the broker says.',
  },
  registry_failed: {
    exit: 3,
    title: 'The schema registry cannot be asked, or does not answer as one',
    next: 'Check registry.url and what is behind it. A source that needs it tries again by itself, and loses nothing.',
  },
  source_changed: {
    exit: 3,
    title: 'A source changed while it was read',
    next: 'Let the file be finished before it is read, then run the same command again.',
  },
  object_store_failed: {
    exit: 3,
    title: 'An object store cannot be reached, or does not let this process in',
    next: 'Check the network, the settings below `s3` and the credentials, then run the same command again: what was taken already is not taken twice.',
  },
  disk_full: { exit: 3, title: 'The disk is full', next: 'Make room, then run the same command again: a batch is applied whole or not at all.' },
  engine_failed: {
    exit: 3,
    title: 'The engine failed',
    next: 'Run the same command again. If it fails again, lower limits.memory, look at `advertisex doctor`, and report the message.',
  },
  worker_failed: {
    exit: 3,
    title: 'A decoding worker failed',
    next: 'Run the same command again. If it fails again, set limits.workers to 1 to find the file that does it, and report the message.',
  },
  lake_failed: {
    exit: 3,
    title: 'The lake cannot be written',
    next: 'Check the space and the permissions of the lake folder, then run `advertisex lake export`: the tables are not affected.',
  },
  log_failed: {
    exit: 3,
    title: 'The log of the collector failed',
    next: 'Check the folder and its disk, then start the collector again: everything that was acknowledged is on disk.',
  },
  log_busy: {
    exit: 3,
    title: 'More waits to be written to the log of the collector than is allowed',
    next: 'Send the request again in a moment: nothing of it was taken.',
  },
  log_entry_too_large: {
    exit: 3,
    title: 'A request is larger than the log of the collector takes as one',
    next: 'Send its records in several smaller requests.',
  },
  request_invalid: { exit: 2, title: 'The request is wrong', next: 'Correct what the message names, then send it again: nothing of it was taken.' },
  content_type_unsupported: {
    exit: 2,
    title: 'The server does not read this content type',
    next: 'Say in Content-Type what the body is; the Accept-Post header lists what is read.',
  },
  content_encoding_unsupported: {
    exit: 2,
    title: 'The server does not read this content encoding',
    next: 'Say in Content-Encoding how the body is compressed; the Accept-Encoding header lists what is read.',
  },
  body_damaged: { exit: 2, title: 'The body of a request does not decompress', next: 'Compress it anew, and send it whole: nothing of it was taken.' },
  body_too_large: {
    exit: 2,
    title: 'The body of a request, or what it decompresses to, is larger than the server takes',
    next: 'Send its records in several smaller requests: nothing of it was taken.',
  },
  records_refused: {
    exit: 2,
    title: 'Every record of a request was refused',
    next: 'Correct what the violations name. The records are in quarantine: replay them after a change of the contract instead of sending them again.',
  },
  unauthenticated: { exit: 2, title: 'The server does not know who asks', next: 'Send a token that the server knows: `Authorization: Bearer …`.' },
  forbidden: { exit: 2, title: 'The token does not allow this', next: 'Use a token with the role that the message names.' },
  host_refused: {
    exit: 2,
    title: 'The server is not reached by this name',
    next: 'Use localhost or 127.0.0.1, or give the server tokens: without them it answers to this machine alone.',
  },
  method_refused: { exit: 2, title: 'The address does not take this method', next: 'Use one of the methods in the Allow header.' },
  server_busy: {
    exit: 3,
    title: 'The server takes no more at the moment',
    next: 'Send the request again in a moment: a record is taken once, however often it comes.',
  },
  server_failed: {
    exit: 3,
    title: 'The server failed',
    next: 'Look at the message in its log. Where it does not start, choose a free address.',
  },
  interrupted: { exit: 3, title: 'The work was interrupted', next: 'Run the same command again: what was committed stays, the rest is done now.' },
} as const satisfies Record<string, { exit: 2 | 3; title: string; next: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** A broken system: what happened (`message`), the next thing to try (`remedy`), and what caused it (`cause`). */
export class AdvertiseXError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AdvertiseXError';
    this.code = code;
    this.remedy = remedy;
  }

  get exitCode(): 2 | 3 {
    return ERROR_CODES[this.code].exit;
  }
}

/** A file that cannot be opened or read to its end. */
export function unreadableSource(path: string, cause: unknown): AdvertiseXError {
  if (cause instanceof AdvertiseXError) return cause;
  return new AdvertiseXError(
    'source_unreadable',
    `${path} cannot be read: ${(cause as Error).message}`,
    'Check that the file exists and that this user may read it, then run the same command again: what was taken stays taken.',
    cause,
  );
}

/** Why a signal was aborted, where that was said. */
export function stopReason(signal: AbortSignal, cause?: unknown): AdvertiseXError {
  return signal.reason instanceof AdvertiseXError ? signal.reason : interrupted(cause);
}

export function queryTooLarge(message: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError('query_too_large', message, ERROR_CODES.query_too_large.next, cause);
}

/** The work was stopped from outside. */
export function interrupted(cause?: unknown): AdvertiseXError {
  return new AdvertiseXError('interrupted', 'The work was interrupted', 'Run the same command again: it goes on from the last committed batch.', cause);
}
