import { parentPort } from 'node:worker_threads';
import { AdvertiseXError, unreadableSource } from '../domain/errors.ts';
import { FileDecoder } from './decode-file.ts';
import { hashFile } from './hash-file.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

/** The entry of a decoding worker. */
const port = parentPort as NonNullable<typeof parentPort>;
let files: FileDecoder;
/** Chunks that may still be staged before the engine must have taken some. */
let goOn: (() => void) | undefined;

port.on('message', (request: WorkerRequest) => {
  if (request.kind === 'settings') files = new FileDecoder(request.edge);
  else if (request.kind === 'go-on') goOn?.();
  else void answer(request);
});

async function answer(request: Exclude<WorkerRequest, { kind: 'settings' | 'go-on' }>): Promise<void> {
  try {
    send({ kind: 'done', result: await perform(request) });
  } catch (error) {
    const failure = error instanceof AdvertiseXError ? error : 'job' in request || 'path' in request ? failureOf(request, error) : undefined;
    send({ kind: 'failed', code: failure?.code ?? 'worker_failed', message: failure?.message ?? String(error), remedy: failure?.remedy ?? '' });
  }
}

function perform(request: Exclude<WorkerRequest, { kind: 'settings' | 'go-on' }>) {
  switch (request.kind) {
    case 'hash':
      return hashFile(request.path);
    case 'decode':
      return files.decode(request.job, async (chunk, bytesRead) => {
        const allowed = new Promise<void>((resolve) => {
          goOn = resolve;
        });
        send({ kind: 'chunk', chunk, bytesRead });
        await allowed;
      });
  }
}

/** An error of the file system is the source's; any other is a defect of the worker. */
function failureOf(request: { readonly path: string } | { readonly job: { readonly path: string } }, error: unknown): AdvertiseXError {
  const path = 'path' in request ? request.path : request.job.path;
  if (typeof (error as NodeJS.ErrnoException).syscall === 'string') return unreadableSource(path, error);
  return new AdvertiseXError(
    'worker_failed',
    `Decoding ${path} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    'Report this message with the version; the file was not taken.',
    error,
  );
}

function send(reply: WorkerReply): void {
  port.postMessage(reply);
}
