import type { Instance, InstanceOptions } from '../app/instance.ts';
import type { Contract } from '../contracts/contract.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Feed } from '../domain/feeds.ts';
import type { CommandContext } from './context.ts';
import { PACKAGED_CONTRACTS } from './packaged-files.ts';

/**
 * Opens the instance for one piece of work and closes it after it, however it ends. The application is loaded here and not
 * before: the help of a command needs no engine.
 */
export async function withInstance<T>(
  context: CommandContext,
  command: string,
  access: InstanceOptions['access'],
  work: (instance: Instance) => Promise<T>,
): Promise<T> {
  const settings = context.settings();
  const contracts = await loadInstanceContracts(context);
  const { openInstance } = await import('../app/instance.ts');
  const instance = await openInstance({
    dataDirectory: context.dataDirectory,
    settings,
    contracts,
    access,
    command,
    nowMicros: context.host.clock,
    signal: context.signal,
  });
  const interrupt = (): void => instance.engine.interrupt();
  context.signal.addEventListener('abort', interrupt);
  try {
    requireRunning(context);
    return await work(instance);
  } catch (error) {
    requireRunning(context, error);
    throw error;
  } finally {
    context.signal.removeEventListener('abort', interrupt);
    await instance.close();
  }
}

/** Throws once the user wants to stop; called wherever work can stop without harm. */
export function requireRunning(context: CommandContext, cause?: unknown): void {
  if (!context.signal.aborted) return;
  throw new AdvertiseXError('interrupted', 'Stopped. What was committed stays.', 'Run the same command again: it goes on where this one stopped.', cause);
}

/** The contracts of the folder that the settings name, or else those that come with AdvertiseX. */
export async function loadInstanceContracts(context: CommandContext): Promise<ReadonlyMap<Feed, Contract>> {
  const { loadContracts } = await import('../contracts/load-contract.ts');
  return loadContracts(contractsFolder(context));
}

export function contractsFolder(context: CommandContext): string {
  const named = context.settings().instance.contracts;
  return named === undefined ? PACKAGED_CONTRACTS : context.path(named);
}
