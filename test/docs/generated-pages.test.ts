import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedPages } from '../../scripts/docs/generated-pages.ts';
import { loadSettings } from '../../src/config/load-settings.ts';
import { settingsSchema } from '../../src/config/settings.ts';

const PAGES = await generatedPages();
const ROOT = join(import.meta.dirname, '../..');

describe('pages made from the sources', () => {
  it.each([...PAGES])('%s is up to date (npm run docs)', (path, text) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
  });

  it('include a settings file that loads, and says the defaults', () => {
    expect(loadSettings({ path: join(ROOT, 'docs/reference/advertisex.yaml'), environment: {} })).toEqual(settingsSchema.parse({}));
  });
});
