import type { DiskBudget } from '../app/disk-budget.ts';
import type { Instance } from '../app/instance.ts';
import type { Messages } from './messages.ts';

const LOOK_AT_DISK_MILLIS = 5_000;

/** Looks now and from time to time, and says when records are to be refused. */
export async function watchDisk(messages: Messages, instance: Instance): Promise<{ readonly budget: DiskBudget; readonly stop: () => void }> {
  const { diskBudgetOf, noRoom } = await import('../app/disk-budget.ts');
  const budget = diskBudgetOf(instance, (state) => {
    const { message, remedy } = noRoom(instance.directory.path, state);
    if (state.level === 'full') messages.warn(`Records are refused: ${message}. ${remedy}`);
    else if (state.level === 'low') messages.warn(`The disk fills up: ${message}. Before it is full, records are refused.`);
    else messages.note('There is enough room on the disk again.');
  });
  // What cannot be looked at now can be the next time.
  const look = (): void => void budget.look().catch((error: Error) => messages.warn(`The disk cannot be looked at: ${error.message}`));
  await budget.look();
  const timer = setInterval(look, LOOK_AT_DISK_MILLIS);
  return { budget, stop: () => clearInterval(timer) };
}
