import { AdvertiseXError, unreadableSource } from '../domain/errors.ts';

/** What reading and decoding a file threw. An error of the file system is the source's; any other is a defect. */
export function decodingFailure(path: string, error: unknown): AdvertiseXError {
  if (error instanceof AdvertiseXError) return error;
  if (typeof (error as NodeJS.ErrnoException).syscall === 'string') return unreadableSource(path, error);
  return new AdvertiseXError(
    'worker_failed',
    `Decoding ${path} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    'Report this message with the version; the file was not taken.',
    error,
  );
}
