/**
 * Broken systems throw; bad records do not (they are outcomes, see outcome.ts).
 * This is the closed list of what can be broken: `docs/errors.md` is made from it.
 */
export const ERROR_CODES = {
  usage: { exit: 2, title: 'The call is wrong' },
  config_invalid: { exit: 2, title: 'The configuration is wrong' },
  contract_invalid: { exit: 2, title: 'A contract is not valid' },
  query_invalid: { exit: 2, title: 'The query cannot be run' },
  not_found: { exit: 2, title: 'What was asked for does not exist' },
  data_locked: { exit: 3, title: 'Another process holds the data directory' },
  data_unusable: { exit: 3, title: 'The data directory cannot be used' },
  data_version: { exit: 3, title: 'The data directory was written with other settings or another version' },
  source_unreadable: { exit: 3, title: 'A source cannot be read' },
  source_changed: { exit: 3, title: 'A source changed while it was read' },
  disk_full: { exit: 3, title: 'The disk is full' },
  engine_failed: { exit: 3, title: 'The engine failed' },
  worker_failed: { exit: 3, title: 'A decoding worker failed' },
  lake_failed: { exit: 3, title: 'The lake cannot be written' },
  interrupted: { exit: 3, title: 'The work was interrupted' },
} as const satisfies Record<string, { exit: 2 | 3; title: string }>;

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
