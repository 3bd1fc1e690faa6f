import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AdvertiseXError } from '../../domain/errors.ts';

/** A path of a socket has room for 104 bytes on macOS and the BSDs, 108 on Linux, its closing zero included. */
const MAX_PATH_BYTES = 103;
const FOLDER = /^advertisex-[A-Za-z0-9]{6}$/;
const SOCKET = 'reads';
const PIPE = '\\\\.\\pipe\\advertisex-';

/**
 * An address that no one else can use: a socket in a new folder that is this user's alone, outside the data directory, which may lie too
 * deep; on Windows a pipe, which is its maker's. Undefined where there is no place for one.
 */
export async function makeSocketAddress(places: readonly string[] = [tmpdir(), '/tmp']): Promise<string | undefined> {
  if (process.platform === 'win32') return `${PIPE}${randomBytes(16).toString('hex')}`;
  for (const place of places) {
    if (Buffer.byteLength(join(place, 'advertisex-XXXXXX', SOCKET)) > MAX_PATH_BYTES) continue;
    const folder = await mkdtemp(join(place, 'advertisex-')).catch(() => undefined);
    if (folder === undefined) continue;
    await chmod(folder, 0o700);
    return join(folder, SOCKET);
  }
  return undefined;
}

/** Once it is listened at. */
export async function closeToOthers(address: string): Promise<void> {
  if (process.platform !== 'win32') await chmod(address, 0o600);
}

/** Whoever can name an address could have it be theirs, and be told what is asked and answer as they like. */
export async function requireOwnAddress(address: string): Promise<void> {
  if (process.platform === 'win32') {
    if (!address.startsWith(PIPE)) throw foreignAddress(address, 'it is not a pipe of AdvertiseX');
    return;
  }
  if (basename(address) !== SOCKET || !FOLDER.test(basename(dirname(address)))) throw foreignAddress(address, 'it is not a socket of AdvertiseX');
  for (const path of [dirname(address), address]) {
    const found = await lstat(path);
    if (path === address ? !found.isSocket() : !found.isDirectory()) throw foreignAddress(address, `${path} is something else`);
    if (found.uid !== process.getuid?.()) throw foreignAddress(address, `${path} belongs to another user`);
    if ((found.mode & 0o077) !== 0) throw foreignAddress(address, `${path} is open to other users`);
  }
}

/** Also what a process left that was killed. Nothing is removed that could be anything else. */
export async function removeSocketAddress(address: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    if (!FOLDER.test(basename(dirname(address))) || basename(address) !== SOCKET) return;
    if ((await lstat(dirname(address))).uid !== process.getuid?.()) return;
    await rm(address, { force: true });
    await rmdir(dirname(address));
  } catch {
    // It is gone, or in use for something else.
  }
}

function foreignAddress(address: string, why: string): AdvertiseXError {
  return new AdvertiseXError(
    'data_locked',
    `The process that holds the data is not asked at ${address}: ${why}`,
    'Run the command as the user who runs that process, or stop it.',
  );
}
