import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

function node(...words: readonly string[]) {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

/** A package with a program that only says that it ran. */
function makePackage(name: string): string {
  const root = join(folder, name);
  for (const path of ['bin', 'dist/cli']) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  copyFileSync(join(ROOT, 'bin/advertisex.js'), join(root, 'bin/advertisex.js'));
  writeFileSync(join(root, 'dist/cli/main.js'), "console.log('it ran')");
  return root;
}

describe('a start', () => {
  it('keeps what was compiled in the folder of the package', () => {
    const root = makePackage('writable');
    expect(node(join(root, 'bin/advertisex.js'))).toEqual({ status: 0, stdout: 'it ran\n', stderr: '' });
    expect(readdirSync(join(root, '.cache/compiled'))).toHaveLength(1);
  });

  it('says nothing of it where that folder cannot be written', () => {
    const root = makePackage('closed');
    writeFileSync(join(root, '.cache'), 'a file in the way');
    expect(node(join(root, 'bin/advertisex.js'))).toEqual({ status: 0, stdout: 'it ran\n', stderr: '' });
  });

  /** The packages that a command loads. */
  function loadedBy(...words: readonly string[]) {
    const hooks = `
      import { registerHooks } from 'node:module';
      const loaded = new Set();
      registerHooks({ load: (url, context, next) => { loaded.add(url.match(/.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/)?.[1]); return next(url, context); } });
      process.on('exit', () => console.error(JSON.stringify([...loaded])));`;
    const preload = `data:text/javascript,${encodeURIComponent(hooks)}`;
    const { status, stdout, stderr } = node('--no-warnings', '--import', preload, join(ROOT, 'src/cli/main.ts'), ...words);
    return { status, stdout, loaded: JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as string[] };
  }

  it('loads neither the engine nor the settings for a help text', () => {
    const { status, stdout, loaded } = loadedBy('ingest', '--help');
    expect(status).toBe(0);
    expect(stdout).toContain('advertisex ingest [options] <feed> <path...>');
    expect(loaded).toContain('commander');
    expect(['zod', 'yaml', '@duckdb/node-api'].filter((name) => loaded.includes(name))).toEqual([]);
  });

  it('loads what speaks to S3 where a bucket is named alone', () => {
    const path = join(folder, 'campaigns.csv');
    writeFileSync(path, 'campaign_id\nspring\n');
    const { status, loaded } = loadedBy('ingest', 'campaigns', path, '--data', join(folder, 'data'));
    expect(status).toBe(0);
    expect(loaded).toContain('@duckdb/node-api');
    expect(loaded.filter((name) => /^@aws-sdk|^@smithy/.test(name ?? ''))).toEqual([]);
    expect(loadedBy('ingest', 'campaigns', 's3://', '--data', join(folder, 'data')).loaded).not.toContain('@aws-sdk/client-s3');
  });
});
