import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** What the log asks of a file system. Every call may fail with an error of Node's kind, with a `code`. */
export interface LogFiles {
  /** Makes the folder, and those above it, where there is none, and waits until their names survive a loss of power. */
  makeFolder(folder: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  /** Waits until the names in a folder survive a loss of power. */
  syncFolder(folder: string): Promise<void>;
  /** `create` fails where there is a file of that name. */
  open(path: string, access: 'create' | 'read' | 'change'): Promise<LogFile>;
  remove(path: string): Promise<void>;
}

export interface LogFile {
  size(): Promise<number>;
  /** Fills the buffer as far as there are bytes, and says how far. */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Writes all of it to a file that was opened to be created, and waits until it survives a loss of power, and the size with it. After a failure, any part of it may be there. */
  writeSynced(pieces: readonly Uint8Array[], offset: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Waits until what was done to the file survives a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Where a system has `O_DSYNC`, a write returns once it is on disk: writing and syncing in two calls would wait twice for an event loop that is busy with requests.
 * Windows has not.
 */
const { O_CREAT, O_EXCL, O_WRONLY, O_DSYNC } = constants;
const FLAGS = { create: O_CREAT | O_EXCL | O_WRONLY | (O_DSYNC ?? 0), read: 'r', change: 'r+' } as const;
/** Pieces in one call: as many as Linux takes. */
const PIECES = 1_024;

export const NODE_LOG_FILES: LogFiles = {
  makeFolder: async (folder) => {
    const path = resolve(folder);
    const first = (await mkdir(path, { recursive: true })) ?? path;
    // The folder's own name even where it was there: whoever made it may have been killed before it was on disk.
    for (let made = path; made.length >= first.length; made = dirname(made)) {
      await syncFolder(dirname(made));
      if (made === dirname(made)) break;
    }
  },
  list: (folder) => readdir(folder),
  syncFolder,
  open: async (path, access) => nodeLogFile(await open(path, FLAGS[access])),
  remove: (path) => rm(path, { force: true }),
};

/** Windows has no such call: it keeps names in its journal. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function nodeLogFile(handle: FileHandle): LogFile {
  return {
    size: async () => (await handle.stat()).size,
    read: async (into, offset) => {
      let filled = 0;
      while (filled < into.length) {
        const { bytesRead } = await handle.read(into, filled, into.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    writeSynced: async (pieces, offset) => {
      let rest: readonly Uint8Array[] = pieces.filter(({ length }) => length > 0);
      if (rest.length > PIECES) rest = [Buffer.concat(rest)];
      let at = offset;
      while (rest.length > 0) {
        const { bytesWritten } = await handle.writev(rest, at);
        at += bytesWritten;
        rest = behind(rest, bytesWritten);
      }
      if (O_DSYNC === undefined) await handle.datasync();
    },
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** What is left of the pieces: a system may write less than it was asked to. */
function behind(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let written = bytes;
  let whole = 0;
  while (whole < pieces.length && written >= (pieces[whole] as Uint8Array).length) written -= (pieces[whole++] as Uint8Array).length;
  const rest = pieces.slice(whole);
  if (written > 0) rest[0] = (rest[0] as Uint8Array).subarray(written);
  return rest;
}
