import { AdvertiseXError } from '../../domain/errors.ts';

export function asFailure(error: unknown): AdvertiseXError {
  if (error instanceof AdvertiseXError) return error;
  return new AdvertiseXError(
    'engine_failed',
    `The process that holds the data could not answer: ${(error as Error).message}`,
    'Run the same command again.',
    error,
  );
}

export function ending(): AdvertiseXError {
  return new AdvertiseXError(
    'interrupted',
    'The process that holds the data is ending',
    'Run the same command again: it can be answered without that process.',
  );
}

export function worksForNobody(): AdvertiseXError {
  return new AdvertiseXError('data_locked', 'The process that holds the data does no work for others', 'Wait until it is done, or stop it.');
}
