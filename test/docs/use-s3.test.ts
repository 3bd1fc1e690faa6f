import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.ts';
import { readBlocks } from './guide-blocks.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-use-s3-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What it says of a real server is tested in test/cluster. */
it('the settings of docs/guides/use-s3.md are settings', () => {
  const blocks = readBlocks(readFileSync(join(import.meta.dirname, '../../docs/guides/use-s3.md'), 'utf8'));
  const path = join(folder, 'advertisex.yaml');
  writeFileSync(path, blocks.map(({ text }) => text).join(''));
  const { s3, sources, lake } = loadSettings({ path, environment: {} });
  expect([s3.path_style, sources.buckets[0]?.bucket, lake.encryption]).toEqual([true, 'logs', 'kms']);
  writeFileSync(path, 's3: { endpoint: "https://somebody:secret@minio.example.com" }');
  expect(() => loadSettings({ path, environment: {} })).toThrow(/endpoint is "https:\/\/…@minio.*without a user in it/);
});
