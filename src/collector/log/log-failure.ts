import { AdvertiseXError } from '../../domain/errors.ts';

/** What the file system refused, as an error that says what to do. */
export function logFailure(folder: string, doing: 'written' | 'read', cause: unknown): AdvertiseXError {
  if (cause instanceof AdvertiseXError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AdvertiseXError(
      'disk_full',
      `There is no space left to write the collector's log in ${folder}`,
      'Make room, then send again what was refused: everything that was acknowledged is on disk.',
      cause,
    );
  }
  return new AdvertiseXError(
    'log_failed',
    `The collector's log in ${folder} cannot be ${doing}: ${message}`,
    'Check the folder and its disk, then start the collector again and send again what was refused: everything that was acknowledged is on disk.',
    cause,
  );
}

/** Why the log takes no more, after a failure that leaves it not knowing what is in its file. */
export function logStopped(folder: string, failure: AdvertiseXError): AdvertiseXError {
  return new AdvertiseXError(
    'log_failed',
    `The collector's log in ${folder} takes no more since it failed: ${failure.message}`,
    'See to the disk, then start the collector again and send again what was refused: everything that was acknowledged is on disk.',
    failure,
  );
}

export function logBusy(waitingBytes: number): AdvertiseXError {
  return new AdvertiseXError(
    'log_busy',
    `${waitingBytes} bytes wait to be written to the collector's log, and no more may`,
    'Send it again in a moment, or send less at once.',
  );
}

export function entryTooLarge(bytes: number, maxBytes: number): AdvertiseXError {
  return new AdvertiseXError(
    'log_entry_too_large',
    `A request of ${bytes} bytes is more than the collector's log takes as one: ${maxBytes}`,
    'Send its records in several smaller requests.',
  );
}

export function logClosed(folder: string): AdvertiseXError {
  return new AdvertiseXError('log_failed', `The collector's log in ${folder} is closed`, 'Send it again when the collector has started.');
}
