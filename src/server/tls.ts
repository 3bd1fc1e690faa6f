import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Report } from './problems.ts';

export interface TlsFiles {
  /** PEM: the certificate, and those between it and its root. */
  readonly certificatePath: string;
  readonly keyPath: string;
  /** How often the files are looked at. */
  readonly lookMillis: number;
}

export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

interface SecureServer {
  setSecureContext(pair: TlsPair): void;
}

export async function readTlsPair({ certificatePath, keyPath }: TlsFiles): Promise<TlsPair> {
  try {
    const pair = { cert: await readFile(certificatePath), key: await readFile(keyPath) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new AdvertiseXError(
      'config_invalid',
      `The certificate ${certificatePath} and the key ${keyPath} cannot be used: ${(cause as Error).message}`,
      'Give a certificate and its own key, each in a PEM file that this user may read.',
      cause,
    );
  }
}

/**
 * Takes a new certificate over while the server runs. The files are read and compared, as folders that are swapped by a link tell
 * no watcher. Files that cannot be used leave the old certificate in place, and are reported once.
 */
export function watchTlsFiles(files: TlsFiles, servers: readonly SecureServer[], first: TlsPair, report: Report): () => void {
  let pair = first;
  let reported = '';
  const look = async (): Promise<void> => {
    try {
      const read = await readTlsPair(files);
      reported = '';
      if (read.cert.equals(pair.cert) && read.key.equals(pair.key)) return;
      for (const server of servers) server.setSecureContext(read);
      pair = read;
    } catch (cause) {
      const { message } = cause as Error;
      if (message !== reported) report(`The certificate stays as it was. ${message}`, cause);
      reported = message;
    }
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, files.lookMillis);
  timer.unref();
  return () => clearInterval(timer);
}
