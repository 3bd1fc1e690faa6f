import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { AdvertiseXError, interrupted, stopReason } from '../../domain/errors.ts';
import type { EngineValue, ReadStatement } from '../engine.ts';
import type { BoundedReads } from './bounded-reads.ts';
import {
  decodeAsked,
  encodeAnswer,
  encodeFailure,
  FRAMES,
  type Frame,
  FrameReader,
  type FrameTooLarge,
  frame,
  MAX_ANSWER_BYTES,
  maxAskedBytes,
  tooMuchAsked,
  type WorkRequest,
} from './protocol.ts';
import { asFailure, ending, worksForNobody } from './serving-failures.ts';
import { closeToOthers, makeSocketAddress, removeSocketAddress } from './socket-address.ts';

export interface ReadServerOptions {
  /** Who waits for a statement to run, and who is being answered. */
  readonly maxClients?: number;
  /** How long those being answered have when the server closes. */
  readonly graceMs?: number;
  /** Where the socket's folder may be made. */
  readonly places?: readonly string[];
  /** Whoever asks for work waits for `beginWork`. Without it they are refused. */
  readonly works?: boolean;
}

/** What an owner does for others, beside letting them read. */
export interface SharedWork {
  /** Resolves with plain data. `signal` is aborted once nobody waits for it any more, or the owner ends. */
  perform(request: WorkRequest, onProgress: (progress: unknown) => void, signal: AbortSignal): Promise<unknown>;
}

const MAX_CLIENTS = 32;
const REQUEST_MS = 10_000;
const GRACE_MS = 1_000;
const FRAME_BYTES = 65_536;

/**
 * Lets other processes of this user read the tables of an engine that this one owns, each statement beside the engine's own work.
 * From the start they are heard; they are answered once `begin` was called.
 */
export class ReadServer {
  readonly address: string;
  private readonly server: Server;
  private readonly options: ReadServerOptions;
  private readonly clients = new Map<Socket, Promise<void>>();
  private readonly closing = new AbortController();
  private readonly begun = Promise.withResolvers<BoundedReads>();
  private readonly work = Promise.withResolvers<SharedWork>();

  private constructor(address: string, server: Server, options: ReadServerOptions) {
    this.address = address;
    this.server = server;
    this.options = options;
    this.begun.promise.catch(() => undefined);
    this.work.promise.catch(() => undefined);
    if (!options.works) this.work.reject(worksForNobody());
    server.on('connection', (socket) => this.serve(socket));
    // Nobody is kept from ending by the fact that others could ask.
    server.unref();
  }

  /** Undefined where the system has no place to listen at: others then wait for this process to end, and nothing else is lost. */
  static async listen(options: ReadServerOptions = {}): Promise<ReadServer | undefined> {
    const address = await makeSocketAddress(options.places);
    if (address === undefined) return undefined;
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(address, resolve);
      });
      await closeToOthers(address);
      return new ReadServer(address, server, options);
    } catch {
      server.close();
      await removeSocketAddress(address);
      return undefined;
    }
  }

  begin(reads: BoundedReads): void {
    this.begun.resolve(reads);
  }

  beginWork(work: SharedWork): void {
    this.work.resolve(work);
  }

  /** After this the engine can be closed. */
  async close(): Promise<void> {
    this.server.close();
    this.begun.reject(ending());
    this.work.reject(ending());
    const grace = setTimeout(() => this.closing.abort(ending()), this.options.graceMs ?? GRACE_MS);
    await Promise.all(this.clients.values());
    clearTimeout(grace);
    await removeSocketAddress(this.address);
  }

  private serve(socket: Socket): void {
    const serving = new Client(socket).serve(this.clients.size < (this.options.maxClients ?? MAX_CLIENTS) ? (client) => this.answer(client) : refuse);
    this.clients.set(socket, serving);
    void serving.finally(() => this.clients.delete(socket));
  }

  private async answer(client: Client): Promise<void> {
    const asked = await client.request();
    await ('sql' in asked ? this.read(client, asked) : this.perform(client, asked));
  }

  /** It takes as long as it takes. */
  private async perform(client: Client, request: WorkRequest): Promise<void> {
    const signal = AbortSignal.any([client.gone, this.closing.signal]);
    try {
      const work = await Promise.race([this.work.promise, aborted(signal)]);
      const result = await work.perform(request, (progress) => client.offer(encodeAnswer(FRAMES.progress, progress)), signal);
      await client.send(encodeAnswer(FRAMES.result, result), signal);
      await client.end(signal);
    } catch (error) {
      throw this.closing.signal.aborted ? ending() : error;
    }
  }

  private async read(client: Client, statement: ReadStatement): Promise<void> {
    const signal = AbortSignal.any([client.gone, this.closing.signal]);
    const reads = await Promise.race([this.begun.promise, aborted(signal)]);
    const result = await reads.read(statement, signal);
    try {
      await client.send(encodeAnswer(FRAMES.columns, result.columns), result.over);
      for (let rows = await result.next(); rows !== undefined; rows = await result.next())
        for (const some of inFrames(rows)) await client.send(some, result.over);
      // The time to take the last of it is the client's own too.
      await client.end(result.over);
    } catch (error) {
      throw result.over.aborted ? stopReason(result.over, error) : error;
    } finally {
      result.close();
    }
  }
}

/** One at the other end of a socket. */
class Client {
  /** Aborted once nobody is there any more. */
  readonly gone: AbortSignal;
  private readonly socket: Socket;
  private readonly asked = Promise.withResolvers<Frame>();

  constructor(socket: Socket) {
    this.socket = socket;
    const gone = new AbortController();
    this.gone = gone.signal;
    const leave = (): void => {
      gone.abort();
      this.asked.reject(interrupted());
    };
    this.asked.promise.catch(() => undefined);
    for (const event of ['end', 'close', 'error']) socket.on(event, leave);
    this.listen();
  }

  /** All of it; what it throws is told to the client. */
  async serve(answer: (client: Client) => Promise<void>): Promise<void> {
    const late = setTimeout(() => this.socket.destroy(), REQUEST_MS);
    this.asked.promise.finally(() => clearTimeout(late)).catch(() => undefined);
    try {
      await answer(this);
    } catch (error) {
      if (!this.gone.aborted) this.socket.end(encodeFailure(asFailure(error)));
    }
    // Who takes nothing more is not waited for.
    const leaving = setTimeout(() => this.socket.destroy(), GRACE_MS);
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
    clearTimeout(leaving);
  }

  async request(): Promise<ReadStatement | WorkRequest> {
    return decodeAsked(await this.asked.promise);
  }

  /** Sends it, unless the other one has not taken what was sent before. */
  offer(bytes: Uint8Array): void {
    if (!this.gone.aborted && !this.socket.writableNeedDrain) this.socket.write(bytes);
  }

  /** Resolves once there is room for more. */
  async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw stopReason(signal);
    if (!this.socket.write(bytes)) await once(this.socket, 'drain', { signal });
  }

  /** Resolves once all of the answer has been taken. */
  async end(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw stopReason(signal);
    this.socket.end(frame(FRAMES.end));
    await once(this.socket, 'finish', { signal });
  }

  private listen(): void {
    const reader = new FrameReader(maxAskedBytes);
    let hasAsked = false;
    let isRefused = false;
    this.socket.on('data', (bytes) => {
      // The rest of what is refused is dropped, so that the refusal is read by whoever still sends.
      if (isRefused) return;
      // A connection is for one statement. It is still read from, as that is how its end is told.
      if (hasAsked) return void this.socket.destroy();
      try {
        const [asked, ...more] = reader.push(bytes);
        if (asked === undefined) return;
        hasAsked = true;
        if (more.length > 0 || reader.hasPart) this.socket.destroy();
        this.asked.resolve(asked);
      } catch (error) {
        isRefused = true;
        this.asked.reject(tooMuchAsked(error as FrameTooLarge));
      }
    });
  }
}

async function refuse(client: Client): Promise<never> {
  await client.request();
  throw new AdvertiseXError('data_locked', 'The process that holds the data answers as many others as it can', 'Run the same command again in a moment.');
}

/** Rows go together until they are large: one at a time costs more, and a chunk of rows with whole records in them is too much at once. */
function* inFrames(rows: readonly (readonly EngineValue[])[]): Generator<Buffer> {
  let from = 0;
  let bytes = 0;
  for (const [index, row] of rows.entries()) {
    for (const value of row) bytes += typeof value === 'string' ? value.length : value instanceof Uint8Array ? value.byteLength : 8;
    if (bytes < FRAME_BYTES && index < rows.length - 1) continue;
    yield encodeWithin(rows.slice(from, index + 1));
    from = index + 1;
    bytes = 0;
  }
}

function encodeWithin(rows: readonly (readonly EngineValue[])[]): Buffer {
  const encoded = encodeAnswer(FRAMES.rows, rows);
  if (encoded.byteLength <= MAX_ANSWER_BYTES) return encoded;
  throw new AdvertiseXError(
    'query_invalid',
    'A row of the result is too large to be handed to another process',
    'Select less of it, or stop the running process first.',
  );
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(stopReason(signal));
    signal.addEventListener('abort', () => reject(stopReason(signal)), { once: true });
  });
}
