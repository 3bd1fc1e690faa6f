import { basename, dirname } from 'node:path';
import type { LogFile, LogFiles } from '../../src/collector/log/log-files.ts';

export type FileCall = 'makeFolder' | 'list' | 'syncFolder' | 'open' | 'remove' | 'size' | 'read' | 'write' | 'truncate' | 'sync' | 'close';

/** A change that is not on disk yet. */
type Change = { readonly write: Uint8Array; readonly offset: number } | { readonly truncate: number };

interface Node {
  /** As processes see it. */
  bytes: Buffer;
  /** As it is after a loss of power. */
  durable: Buffer;
  changes: Change[];
}

/**
 * Files in memory that lose what a disk may lose: names of a folder that was not synced, bytes of a file that was not. A sync that
 * fails takes what it should have written for written, as Linux does.
 */
export class MemoryFiles implements LogFiles {
  readonly calls: FileCall[] = [];
  /** Asked before each call; an error that it returns is thrown. A write that fails has written half. */
  failing: (call: FileCall) => Error | undefined = () => undefined;
  /** Waited for before each sync. */
  beforeSync: () => Promise<void> = async () => undefined;
  #names = new Map<string, Node>();
  #durableNames = new Map<string, Node>();

  async makeFolder(): Promise<void> {
    this.#called('makeFolder');
  }

  async list(folder: string): Promise<string[]> {
    this.#called('list');
    return [...this.#names.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path));
  }

  async syncFolder(): Promise<void> {
    this.#called('syncFolder');
    this.#durableNames = new Map(this.#names);
  }

  async open(path: string, access: 'create' | 'read' | 'change'): Promise<LogFile> {
    this.#called('open');
    const there = this.#names.get(path);
    if ((there !== undefined) === (access === 'create')) throw failure(access === 'create' ? 'EEXIST' : 'ENOENT');
    const node = there ?? { bytes: Buffer.alloc(0), durable: Buffer.alloc(0), changes: [] };
    this.#names.set(path, node);
    return this.#file(node);
  }

  async remove(path: string): Promise<void> {
    this.#called('remove');
    this.#names.delete(path);
  }

  /** What the next process finds that gets the machine without power: of what was not synced, as many changes as `keep` says. */
  afterPowerLoss(keep: number): MemoryFiles {
    const after = new MemoryFiles();
    for (const [path, node] of this.#durableNames) {
      let bytes = node.durable;
      for (const change of node.changes.slice(0, keep)) bytes = applied(bytes, change);
      after.put(path, bytes);
    }
    return after;
  }

  put(path: string, bytes: Uint8Array): void {
    const node = { bytes: Buffer.from(bytes), durable: Buffer.from(bytes), changes: [] };
    this.#names.set(path, node);
    this.#durableNames.set(path, node);
  }

  content(path: string): Buffer {
    return this.#names.get(path)?.bytes ?? Buffer.alloc(0);
  }

  get paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  #file(node: Node): LogFile {
    const change = (made: Change) => {
      node.bytes = applied(node.bytes, made);
      node.changes.push(made);
    };
    const sync = async (): Promise<void> => {
      await this.beforeSync();
      const { changes } = node;
      node.changes = [];
      this.#called('sync');
      for (const made of changes) node.durable = applied(node.durable, made);
    };
    return {
      size: async () => {
        this.#called('size');
        return node.bytes.length;
      },
      read: async (into, offset) => {
        this.#called('read');
        return node.bytes.copy(into, 0, offset);
      },
      writeSynced: async (pieces, offset) => {
        const bytes = Buffer.concat(pieces);
        try {
          this.#called('write');
        } catch (error) {
          change({ write: bytes.subarray(0, bytes.length / 2), offset });
          throw error;
        }
        change({ write: bytes, offset });
        await sync();
      },
      truncate: async (bytes) => {
        this.#called('truncate');
        change({ truncate: bytes });
      },
      sync,
      close: async () => this.#called('close'),
    };
  }

  #called(call: FileCall): void {
    this.calls.push(call);
    const error = this.failing(call);
    if (error !== undefined) throw error;
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

function applied(bytes: Buffer, change: Change): Buffer {
  const length = 'truncate' in change ? change.truncate : Math.max(bytes.length, change.offset + change.write.length);
  const after = Buffer.alloc(length);
  bytes.copy(after);
  if ('write' in change) after.set(change.write, change.offset);
  return after;
}
