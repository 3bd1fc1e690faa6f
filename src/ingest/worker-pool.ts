import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AdvertiseXError, type ErrorCode, interrupted } from '../domain/errors.ts';
import type { DecodedFile, DecodeJob } from './decode-file.ts';
import type { DecodePool, TakeChunk } from './decode-pool.ts';
import type { EdgeSettings } from './edge-settings.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

type Job = Extract<WorkerRequest, { kind: 'hash' | 'decode' }>;

interface QueuedJob {
  readonly request: Job;
  readonly takeChunk?: TakeChunk;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Decoding on worker threads, so that the engine works at the same time. All are started at once, because each takes a while to be ready. */
export class WorkerPool implements DecodePool {
  private edge: EdgeSettings | undefined;
  private readonly size: number;
  private readonly workers = new Set<Worker>();
  private readonly idle: Worker[] = [];
  private readonly queue: QueuedJob[] = [];
  private closed: Promise<void> | undefined;

  constructor(size: number) {
    this.size = size;
    for (let i = 0; i < size; i++) this.idle.push(this.start());
  }

  hash(path: string): Promise<string> {
    return this.perform<string>({ kind: 'hash', path });
  }

  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile> {
    return this.perform<DecodedFile>({ kind: 'decode', job }, takeChunk);
  }

  useSettings(edge: EdgeSettings): void {
    this.edge = edge;
    for (const worker of this.workers) worker.postMessage({ kind: 'settings', edge } satisfies WorkerRequest);
  }

  /** However often it is called. */
  close(): Promise<void> {
    this.closed ??= this.stop();
    return this.closed;
  }

  private async stop(): Promise<void> {
    for (const job of this.queue.splice(0)) job.reject(interrupted());
    await Promise.all([...this.workers].map((worker) => worker.terminate()));
  }

  private perform<Result>(request: Job, takeChunk?: TakeChunk): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.closed !== undefined) return reject(interrupted());
      const job = { request, ...(takeChunk === undefined ? {} : { takeChunk }), resolve: resolve as (result: never) => void, reject };
      // What is decoded now keeps the engine busy; files that are only hashed are decoded later.
      const firstHash = request.kind === 'decode' ? this.queue.findIndex((queued) => queued.request.kind === 'hash') : -1;
      this.queue.splice(firstHash < 0 ? this.queue.length : firstHash, 0, job);
      this.assign();
    });
  }

  private assign(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop() ?? (this.workers.size < this.size ? this.start() : undefined);
      if (worker === undefined) return;
      this.run(worker, this.queue.shift() as QueuedJob);
    }
  }

  private run(worker: Worker, job: QueuedJob): void {
    const settle = () => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      // An idle worker does not keep the process alive.
      worker.unref();
    };
    const onMessage = (reply: WorkerReply) => {
      if (reply.kind === 'chunk') {
        // A chunk that cannot be taken ends the run elsewhere; the worker then waits until it is stopped.
        job.takeChunk?.(reply.chunk, reply.bytesRead).then(
          () => worker.postMessage({ kind: 'go-on' } satisfies WorkerRequest),
          (error) => job.reject(error),
        );
        return;
      }
      settle();
      this.idle.push(worker);
      if (reply.kind === 'done') job.resolve(reply.result as never);
      else job.reject(new AdvertiseXError(reply.code as ErrorCode, reply.message, reply.remedy));
      this.assign();
    };
    const onError = (error: unknown) => {
      settle();
      if (this.closed !== undefined) return job.reject(interrupted(error));
      job.reject(
        new AdvertiseXError(
          'worker_failed',
          `A decoding worker failed: ${error instanceof Error ? error.message : String(error)}`,
          'Run the same command again; if it fails again, report this message with the version.',
          error,
        ),
      );
    };
    const onExit = (code: number) => onError(new Error(`it stopped with code ${code}`));
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
    worker.ref();
    worker.postMessage(job.request);
  }

  private start(): Worker {
    const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
    if (this.edge !== undefined) worker.postMessage({ kind: 'settings', edge: this.edge } satisfies WorkerRequest);
    this.workers.add(worker);
    worker.unref();
    // One that ended, at work or before it had any, is not asked again.
    worker.on('error', () => this.forget(worker));
    worker.on('exit', () => this.forget(worker));
    return worker;
  }

  private forget(worker: Worker): void {
    this.workers.delete(worker);
    const place = this.idle.indexOf(worker);
    if (place >= 0) this.idle.splice(place, 1);
  }
}
