import { AdvertiseXError } from '../../domain/errors.ts';

/** DuckDB's errors are texts; this is the one place that reads them. */
export function engineFailure(cause: unknown, what: string): AdvertiseXError {
  if (cause instanceof AdvertiseXError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/Could not set lock on file|Conflicting lock/i.test(message)) {
    const holder = /PID (\d+)/.exec(message)?.[1];
    return new AdvertiseXError(
      'data_locked',
      `Another process${holder === undefined ? '' : ` (PID ${holder})`} holds the data in ${what}`,
      'Wait until it is done, or stop it, and run the same command again.',
      cause,
    );
  }
  if (/No space left on device|disk quota exceeded|Could not write file|failed to offload data block|max_temp_directory_size/i.test(message)) {
    return new AdvertiseXError(
      'disk_full',
      `The disk is full: ${firstLine(message)}`,
      'Free space, or move the data directory (--data) to a larger disk, and run the same command again: nothing was lost.',
      cause,
    );
  }
  if (isOutOfMemory(cause)) {
    return new AdvertiseXError(
      'engine_failed',
      `The engine has too little memory: ${firstLine(message)}`,
      'Raise limits.memory in the configuration, or lower limits.batch_records, and run the same command again.',
      cause,
    );
  }
  if (/INTERRUPT/i.test(message)) {
    return new AdvertiseXError('interrupted', 'The work was interrupted', 'Run the same command again: it goes on from the last committed batch.', cause);
  }
  const [, first, last] = /as of a folded batch: (\d+) to (\d+)/.exec(message) ?? [];
  if (first !== undefined && last !== undefined) return folded(Number(first), Number(last), cause);
  if (/Permission denied|Read-only file system|Cannot open file|Cannot open database|not a valid DuckDB database/i.test(message)) {
    return new AdvertiseXError(
      'data_unusable',
      `The data directory cannot be used: ${firstLine(message)}`,
      'Check that the folder exists, that this user may write to it, and that the database file was not changed by another program.',
      cause,
    );
  }
  return new AdvertiseXError(
    'engine_failed',
    `The engine failed: ${firstLine(message)} (in: ${cut(what)})`,
    'Run `advertisex doctor`; if it finds nothing, report this message with the version.',
    cause,
  );
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof AdvertiseXError ? isOutOfMemory(error.cause) : /Out of Memory/i.test(String((error as Error | undefined)?.message ?? error));
}

function folded(first: number, last: number, cause: unknown): AdvertiseXError {
  const before = first === 1 ? 'none before them' : `${first - 1} before them`;
  return new AdvertiseXError(
    'batch_folded',
    `Sums cannot be read as of batches ${first} to ${last} any more: they were folded. The nearest batches that can be read are ${before}, and ${last + 1} after`,
    `Ask with --as-of ${last + 1}${first === 1 ? '' : `, or --as-of ${first - 1}`}. Events and attribution can be read as of every batch; ops.folds lists what was folded.`,
    cause,
  );
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] as string;
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 160)} …` : line;
}
