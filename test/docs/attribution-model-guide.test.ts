import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ATTRIBUTION_MODELS } from '../../src/domain/feeds.ts';

const ROOT = join(import.meta.dirname, '../..');
const NEWEST = ATTRIBUTION_MODELS.at(-1) as string;

/** The guide says: search for the newest model's columns, and add a line beside each. That is enough only while this holds. */
describe('docs/guides/adding-an-attribution-model.md', () => {
  const files = ['models/attribute', 'models/gold', 'models/views'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.sql'))
      .map((name) => `${folder}/${name}`),
  );

  it('names the folders in which models are spelled out', () => {
    expect(files.filter((file) => read(file).includes(`${NEWEST}_ppm`)).length).toBeGreaterThan(3);
    const guide = read('docs/guides/adding-an-attribution-model.md');
    expect(guide).toContain(`${NEWEST}_ppm`);
    for (const path of ['src/domain/feeds.ts', 'models/attribute/touch_weights.sql', 'models/gold', 'models/views', 'test/reference'])
      expect(guide).toContain(path);
  });

  it.each(files)('%s spells out all models, or none but the one that reports begin with', (file) => {
    const text = read(file);
    for (const suffix of ['_ppm', '_value_micros', '_click_ppm']) {
      const named = ATTRIBUTION_MODELS.filter((model) => new RegExp(`\\b${model}${suffix}\\b`).test(text));
      if (named.some((model) => model !== ATTRIBUTION_MODELS[0])) expect(named, suffix).toEqual([...ATTRIBUTION_MODELS]);
    }
  });
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
