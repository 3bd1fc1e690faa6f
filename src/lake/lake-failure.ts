import { AdvertiseXError } from '../domain/errors.ts';

/** Runs work on the lake's files; what the file system refuses comes out as an error that says what to do. */
export async function reportingFailures<T>(lake: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw lakeFailure(lake, error);
  }
}

function lakeFailure(lake: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'disk_full') {
    return new AdvertiseXError(
      'disk_full',
      `There is no space left to write the lake in ${lake}${error instanceof AdvertiseXError ? `: ${error.message}` : ''}`,
      'Make room, then run `advertisex lake export`: each day of the lake is whole, as it was or as it is now, and the tables are not affected.',
      error,
    );
  }
  if (error instanceof AdvertiseXError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error;
  const remedy =
    code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
      ? 'Let this user write to the folder and everything in it, then run `advertisex lake export`: the tables are not affected.'
      : 'Check the folder and its disk, then run `advertisex lake export`: the tables are not affected.';
  return new AdvertiseXError('lake_failed', `The lake in ${lake} cannot be written: ${(error as Error).message}`, remedy, error);
}
