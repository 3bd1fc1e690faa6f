import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTranscript, transcriptShape } from '../../scripts/docs/transcript.ts';

const ROOT = join(import.meta.dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-demo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As a user runs it, from the sources: a process of its own, with its workers. */
function advertisex(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

describe('advertisex demo', () => {
  it('makes, ingests, reconciles and reports, and the README shows what it prints', () => {
    const { status, stdout, stderr } = advertisex('demo', '--events', '30000');
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const transcript = readTranscript(readFileSync(join(ROOT, 'README.md'), 'utf8'));
    const header = transcript.split('\n').find((line) => line.startsWith('campaign'));
    expect(stdout.split('\n')[0]?.split(/ +/)).toEqual(header?.split(/ +/));
    const said = stderr.split('\n').filter((line) => /^(Ingested|Reconciled|Done)/.test(line));
    expect(said).toHaveLength(3);
    for (const line of said) expect(transcriptShape(transcript)).toContain(transcriptShape(line));
    const [, holding, all] = /Reconciled: (\d+) of (\d+) equations hold/.exec(stderr) ?? [];
    expect(Number(all)).toBeGreaterThan(5);
    expect(holding).toBe(all);
  });

  it('finds everything done when it is run again', () => {
    const before = advertisex('query', 'select count(*) as events, max(batch_id) as batch from silver.events', '--format', 'json');
    expect(advertisex('demo').status).toBe(0);
    expect(advertisex('query', 'select count(*) as events, max(batch_id) as batch from silver.events', '--format', 'json').stdout).toBe(before.stdout);
  });

  it('does not mix with data that is there', () => {
    const { status, stderr } = advertisex('demo', '--events', '90000');
    expect(status).toBe(2);
    expect(stderr).toMatch(/holds a demo of [\d,]+ events already\nNext: .*--data other-demo.*\[usage\]/);
  });

  it('reports in the formats that programs read', () => {
    const json = JSON.parse(advertisex('report', 'campaigns', '--format', 'json').stdout) as Record<string, unknown>[];
    const csv = advertisex('report', 'campaigns', '--format', 'csv').stdout.trimEnd().split('\r\n');
    expect(csv).toHaveLength(json.length + 1);
    expect(csv[0]?.split(',')).toEqual(Object.keys(json[0] ?? {}));
    expect(json.length).toBeGreaterThan(5);
  });

  it('survives a reader that leaves', () => {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" "${join(ROOT, 'src/cli/main.ts')}" query 'select * from silver.events' --format csv | head -n 1`],
      { cwd: folder, encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
