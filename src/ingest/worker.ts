import { parentPort } from 'node:worker_threads';
import { FileDecoder } from './decode-file.ts';
import { decodingFailure } from './decoding-failure.ts';
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
    const { code, message, remedy } = decodingFailure('path' in request ? request.path : request.job.path, error);
    send({ kind: 'failed', code, message, remedy });
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

function send(reply: WorkerReply): void {
  port.postMessage(reply);
}
