import { expect, it } from 'vitest';
import { Closing } from './closing.ts';

function makeClosing(failing: readonly string[] = []) {
  const closed: string[] = [];
  const closing = new Closing();
  for (const name of ['first', 'second', 'third'])
    closing.add(async () => {
      closed.push(name);
      if (failing.includes(name)) throw new Error(name);
    });
  return { closing, closed };
}

it('closes what was opened last first, once', async () => {
  const { closing, closed } = makeClosing();
  expect(await closing.after(async () => 7)).toBe(7);
  await closing.close();
  expect(closed).toEqual(['third', 'second', 'first']);
});

it('closes all of it, and tells the first failure: that of the work before those of closing', async () => {
  const { closing, closed } = makeClosing(['third', 'first']);
  await expect(closing.after(async () => undefined)).rejects.toThrow('third');
  expect(closed).toEqual(['third', 'second', 'first']);
  const other = makeClosing(['second']);
  await expect(other.closing.after(() => Promise.reject(new Error('work')))).rejects.toThrow('work');
  expect(other.closed).toEqual(['third', 'second', 'first']);
});
