import { createConnection, type Socket } from 'node:net';
import { AdvertiseXError, interrupted } from '../../domain/errors.ts';
import type { CellValue, ResultColumn, ResultTable } from '../../domain/result-table.ts';
import type { Engine, EngineReader, EngineRow, EngineValue, ReadStatement } from '../engine.ts';
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
import { requireOwnAddress } from './socket-address.ts';

/** Where the process that owns the tables answers, as it left word. */
export interface ReadAddress {
  readonly address: string;
  readonly protocol: string;
}

/**
 * The tables of another process of this machine, read through it. Each statement sees one committed state; two statements may see two.
 * Nothing can be written.
 */
export class RemoteEngine implements Engine {
  readonly capabilities = { name: 'remote', transactions: false };
  readonly dialect = '';
  private readonly address: string;
  /** `PID 7, …`, for messages. */
  private readonly owner: string;
  private readonly sockets = new Set<Socket>();
  private asOf: number | null = null;
  private isInterrupted = false;

  private constructor(address: string, owner: string) {
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

  async rows<Row extends EngineRow = EngineRow>(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}): Promise<Row[]> {
    return this.rowsAsOf<Row>(this.asOf, sql, parameters);
  }

  async query(sql: string): Promise<ResultTable> {
    const { columns, rows } = await this.ask({ sql, parameters: {}, asOf: this.asOf, values: 'cells' });
    return { columns, rows: rows as AsyncGenerator<readonly CellValue[]> };
  }

  async setVariables(variables: Parameters<Engine['setVariables']>[0]): Promise<void> {
    if (variables.batch !== undefined || variables.cause !== undefined) throw this.refusal();
    if (variables.asOf !== undefined) this.asOf = variables.asOf;
  }

  withReader<T>(asOf: number, work: (reader: EngineReader) => Promise<T>): Promise<T> {
    const refuse = (): Promise<never> => this.refuse();
    return work({
      rows: <Row extends EngineRow>(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}) => this.rowsAsOf<Row>(asOf, sql, parameters),
      copyToParquet: refuse,
      copyToParquetByDay: refuse,
      copyArchivedDay: refuse,
    });
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

  defineMacros(): Promise<never> {
    return this.refuse();
  }

  ensureTables(): Promise<never> {
    return this.refuse();
  }

  transaction(): Promise<never> {
    return this.refuse();
  }

  stage(): Promise<never> {
    return this.refuse();
  }

  run(): Promise<never> {
    return this.refuse();
  }

  append(): Promise<never> {
    return this.refuse();
  }

  insert(): Promise<never> {
    return this.refuse();
  }

  settle(): Promise<never> {
    return this.refuse();
  }

  private async refuse(): Promise<never> {
    throw this.refusal();
  }

  private refusal(): AdvertiseXError {
    return new AdvertiseXError(
      'data_locked',
      `Another process holds the data, and it alone can write: ${this.owner}`,
      'Let that process do it, or stop it first.',
    );
  }

  private async rowsAsOf<Row extends EngineRow>(asOf: number | null, sql: string, parameters: Readonly<Record<string, EngineValue>>): Promise<Row[]> {
    const { columns, rows } = await this.ask({ sql, parameters, asOf, values: 'engine' });
    const all: Row[] = [];
    for await (const row of rows) all.push(Object.fromEntries(row.map((value, index) => [(columns[index] as ResultColumn).name, value])) as Row);
    return all;
  }

  private async ask(statement: ReadStatement): Promise<{ columns: readonly ResultColumn[]; rows: AsyncGenerator<readonly EngineValue[]> }> {
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
