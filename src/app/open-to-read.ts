import { setTimeout as pause } from 'node:timers/promises';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Engine } from '../engines/engine.ts';
import { RemoteEngine } from '../engines/remote/remote-engine.ts';
import { type DataDirectory, describeOwner, holderOf, nameHolder } from './data-directory.ts';

/** A process that is about to have the data, or to give it back, is found at neither door for a moment. */
const ATTEMPTS = 6;
const PAUSE_MS = 100;

/** The tables to be read: the file itself, or, while another process has that, through that process. */
export async function openToRead(
  directory: DataDirectory,
  openFile: () => Promise<Engine>,
): Promise<{ readonly engine: Engine; readonly close: () => Promise<void> }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const engine = await openFile();
      await engine.setVariables({ asOf: null });
      return { engine, close: () => engine.close() };
    } catch (error) {
      if (!(error instanceof AdvertiseXError) || error.code !== 'data_locked') throw error;
      const engine = await openThroughHolder(directory, error);
      if (engine !== undefined) return { engine, close: () => engine.close() };
      if (attempt === ATTEMPTS) throw await nameHolder(directory, error);
      await pause(PAUSE_MS);
    }
  }
}

async function openThroughHolder(directory: DataDirectory, locked: AdvertiseXError): Promise<RemoteEngine | undefined> {
  const holder = await holderOf(directory, locked);
  return holder?.reads === undefined ? undefined : RemoteEngine.open(holder.reads, describeOwner(holder));
}
