import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { type CacheBounds, SchemaCache } from './schema-cache.ts';

let asked: string[] = [];
beforeEach(() => {
  asked = [];
});

function openCache(bounds: Partial<CacheBounds>): (key: string, text?: string | null) => Promise<string | undefined> {
  const cache = new SchemaCache<{ readonly text: string }>(bounds);
  return async (key, text = 'a schema') => {
    const found = await cache.get(key, async () => {
      asked.push(key);
      return text === null ? undefined : { text };
    });
    return found?.text;
  };
}

it('keeps so many schemas, those that were asked for last', async () => {
  const get = openCache({ schemas: 3 });
  for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'd']) await get(key);
  expect(asked).toEqual(['a', 'b', 'c', 'd']);
  await get('b');
  expect(asked.at(-1)).toBe('b');
});

it('keeps texts of so many characters together, and one that is longer by itself', async () => {
  const get = openCache({ characters: 10 });
  await get('a', '12345');
  await get('b', '12345');
  await get('a');
  await get('c', '1234567890123');
  expect(await get('c')).toBe('1234567890123');
  expect(asked).toEqual(['a', 'b', 'c']);
  expect(await get('a', '123')).toBe('123');
  expect(await get('c', '45')).toBe('45');
  expect(await get('a')).toBe('123');
});

it('asks again for what was not there, after a while, and for what failed, at once', async () => {
  const get = openCache({ absentMillis: 50, schemas: 2 });
  expect(await get('a', null)).toBeUndefined();
  expect(await get('a')).toBeUndefined();
  await sleep(80);
  expect(await get('a')).toBe('a schema');
  // Of many that are not there, a few are remembered.
  for (const key of ['x', 'y', 'z', 'z', 'x']) await get(key, null);
  expect(asked).toEqual(['a', 'a', 'x', 'y', 'z', 'x']);
  const cache = new SchemaCache<{ readonly text: string }>();
  await expect(cache.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await cache.get('a', async () => ({ text: 'up' }))).toEqual({ text: 'up' });
});
