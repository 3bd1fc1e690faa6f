import { createConnection, type Socket } from 'node:net';
import { AdvertiseXError, interrupted } from '../../domain/errors.ts';
import type { ResultColumn } from '../../domain/result-table.ts';
import type { EngineValue, ReadStatement } from '../engine.ts';
import {
  decodeAnswer,
  decodeFailure,
  encodeRequest,
  encodeWork,
  FRAMES,
  type Frame,
  FrameReader,
  MAX_ANSWER_BYTES,
  otherProtocol,
  PROTOCOL,
  type WorkRequest,
} from './protocol.ts';
import { type AskedRows, ReadOnlyEngine } from './read-only-engine.ts';
import { requireOwnAddress } from './socket-address.ts';

/** Where the process that owns the tables answers, as it left word. */
export interface ReadAddress {
  readonly address: string;
  readonly protocol: string;
}

/** The tables of another process of this machine, read through it. */
export class RemoteEngine extends ReadOnlyEngine {
  readonly capabilities = { name: 'remote', transactions: false };
  private readonly address: string;
  /** `PID 7, …`, for messages. */
  private readonly owner: string;
  private readonly sockets = new Set<Socket>();
  private isInterrupted = false;

  private constructor(address: string, owner: string) {
    super();
    this.address = address;
    this.owner = owner;
  }

  /** Undefined where nobody listens. */
  static async open({ address, protocol }: ReadAddress, owner: string): Promise<RemoteEngine | undefined> {
    if (protocol !== PROTOCOL) throw otherProtocol(`The process that holds the data speaks protocol ${protocol}`);
    try {
      await requireOwnAddress(address);
    } catch (cause) {
      if (cause instanceof AdvertiseXError) throw cause;
      return undefined;
    }
    const engine = new RemoteEngine(address, owner);
    const socket = await engine.connect().catch(() => undefined);
    socket?.destroy();
    return socket === undefined ? undefined : engine;
  }

  /** Has the owner do something, and waits for what comes of it. Interrupted, the owner does no more of it. */
  async perform(request: WorkRequest, onProgress: (progress: unknown) => void = () => undefined): Promise<unknown> {
    const socket = await this.connect();
    const frames = this.answer(socket);
    socket.write(encodeWork(request));
    for await (const { kind, body } of frames) {
      if (kind === FRAMES.result) return decodeAnswer(body);
      if (kind !== FRAMES.progress) throw otherProtocol(`The answer has a frame of kind ${kind}`);
      onProgress(decodeAnswer(body));
    }
    throw otherProtocol('The answer has no result');
  }

  interrupt(): void {
    this.isInterrupted = true;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
  }

  protected refusal(): AdvertiseXError {
    return new AdvertiseXError(
      'data_locked',
      `Another process holds the data, and it alone can write: ${this.owner}`,
      'Let that process do it, or stop it first.',
    );
  }

  protected async ask(statement: ReadStatement): Promise<AskedRows> {
    const socket = await this.connect();
    const frames = this.answer(socket);
    socket.write(encodeRequest(statement));
    const first = await frames.next();
    if (first.done || first.value.kind !== FRAMES.columns) throw otherProtocol('The answer does not begin with its columns');
    return { columns: decodeAnswer(first.value.body) as readonly ResultColumn[], rows: rowsOf(frames) };
  }

  private connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (this.isInterrupted) throw interrupted();
      const socket = createConnection(this.address);
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      socket.on('error', (cause) => reject(this.lost(cause)));
      socket.once('connect', () => resolve(socket));
    });
  }

  /** Frames up to the end of the answer; a failure is thrown. The socket is read from as they are taken. */
  private async *answer(socket: Socket): AsyncGenerator<Frame, void> {
    const reader = new FrameReader(MAX_ANSWER_BYTES);
    try {
      for await (const bytes of socket) {
        for (const next of reader.push(bytes as Buffer)) {
          if (next.kind === FRAMES.end) return;
          if (next.kind === FRAMES.failure) throw decodeFailure(next.body);
          yield next;
        }
      }
    } catch (cause) {
      if (this.isInterrupted) throw interrupted(cause);
      throw cause instanceof AdvertiseXError ? cause : this.lost(cause);
    }
    throw this.isInterrupted ? interrupted() : this.lost();
  }

  private lost(cause?: unknown): AdvertiseXError {
    return new AdvertiseXError(
      'interrupted',
      `The process that holds the data ended before it had answered: ${this.owner}`,
      'Run the same command again.',
      cause,
    );
  }
}

async function* rowsOf(frames: AsyncGenerator<Frame, void>): AsyncGenerator<readonly EngineValue[]> {
  for await (const next of frames) {
    if (next.kind !== FRAMES.rows) throw otherProtocol(`The answer has a frame of kind ${next.kind}`);
    yield* decodeAnswer(next.body) as (readonly EngineValue[])[];
  }
}
