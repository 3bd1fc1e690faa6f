import type { OwnerProcess } from '../app/ask-owner.ts';
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

/** The same for work that writes: where a running process holds the data and works for others, it is asked instead. */
export async function withInstanceOrOwner<T>(
  context: CommandContext,
  command: string,
  work: (instance: Instance) => Promise<T>,
  ask: (owner: OwnerProcess) => Promise<T>,
): Promise<T> {
  let isOpen = false;
  try {
    return await withInstance(context, command, 'write', (instance) => {
      isOpen = true;
      return work(instance);
    });
  } catch (error) {
    if (isOpen || !(error instanceof AdvertiseXError) || error.code !== 'data_locked') throw error;
    const { OwnerProcess } = await import('../app/ask-owner.ts');
    const owner = await OwnerProcess.find(context.dataDirectory, error);
    if (owner === undefined) throw error;
    return await withOwner(context, owner, ask);
  }
}

async function withOwner<T>(context: CommandContext, owner: OwnerProcess, ask: (owner: OwnerProcess) => Promise<T>): Promise<T> {
  const interrupt = (): void => owner.interrupt();
  context.signal.addEventListener('abort', interrupt);
  try {
    requireRunning(context);
    return await ask(owner);
  } catch (error) {
    requireRunning(context, error);
    throw error;
  } finally {
    context.signal.removeEventListener('abort', interrupt);
    await owner.close();
  }
}

/** The rules that this command would work by: an owner that has others must not work for it. */
export async function rulesOfContext(context: CommandContext): Promise<string> {
  const { rulesOf } = await import('../app/shared-work.ts');
  return rulesOf(context.settings(), await loadInstanceContracts(context));
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
