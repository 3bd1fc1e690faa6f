import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { ATTRIBUTION_MODELS } from '../../src/domain/feeds.ts';
import { QUARANTINE_CODES } from '../../src/domain/outcome.ts';
import { bufferHost } from '../command-line/buffer-host.ts';
import { type GuideBlock, readBlocks } from './guide-blocks.ts';

const ROOT = join(import.meta.dirname, '../..');
const GUIDES = join(ROOT, 'docs/guides');

let folder: string;
const variables: Record<string, string> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-guides-'));
  await run(['demo', '--events', '80000']);
  variables.CONVERSION_KEY = await firstValue('select conversion_key from gold.attribution order by path_length desc, conversion_key limit 1');
  variables.QUARANTINE_ID = await firstValue("select quarantine_id from ops.quarantine where code = 'bad_number' limit 1");
  cpSync(join(ROOT, 'contracts'), join(folder, 'old-contracts'), { recursive: true });
  variables.OLD_CONTRACTS = 'old-contracts';
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Some guides speak to other programs, and have a test of their own. */
const isElsewhere = (name: string) => ['docs', 'cluster'].some((lane) => existsSync(join(ROOT, 'test', lane, name.replace('.md', '.test.ts'))));
const ours = readdirSync(GUIDES).filter((name) => name.endsWith('.md') && !isElsewhere(name));

describe.each(ours)('docs/guides/%s', (name) => {
  const blocks = readBlocks(readFileSync(join(GUIDES, name), 'utf8')).filter((block) => block.language !== 'json');

  it.runIf(blocks.length > 0)('its examples do what they say', async () => {
    for (const block of blocks) await runBlock(block);
  });
});

describe('the guides', () => {
  it('speak of every quarantine code and every attribution model', () => {
    const quarantine = readFileSync(join(GUIDES, 'reading-the-quarantine.md'), 'utf8');
    for (const code of Object.keys(QUARANTINE_CODES)) expect(quarantine).toContain(`\`${code}\``);
    const figures = readFileSync(join(GUIDES, 'what-each-figure-means.md'), 'utf8');
    for (const model of ATTRIBUTION_MODELS) expect(figures).toContain(`\`${model}\``);
  });
});

async function runBlock({ language, text, addTo, mayBeEmpty }: GuideBlock): Promise<void> {
  if (addTo !== undefined) {
    const path = join(folder, addTo);
    // Properties of a contract are its last list: what is added goes to its end.
    writeFileSync(path, `${readFileSync(path, 'utf8').trimEnd()}\n${text}`);
  } else if (language === 'sql') {
    const { out } = await run(['query', text, '--format', 'json']);
    if (!mayBeEmpty) expect(JSON.parse(out), text).not.toEqual([]);
  } else if (language === 'sh') {
    for (const line of text
      .replaceAll(/\\\n */g, '')
      .split('\n')
      .filter((each) => each.startsWith('advertisex ')))
      await run(wordsOf(line.replace(/ +# .*$/, '')));
  }
}

function wordsOf(line: string): string[] {
  const filled = line.replace(/\$([A-Z_]+)/g, (_match, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`The guides have no value for $${name}`);
    return value;
  });
  return [...filled.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '').slice(1);
}

async function firstValue(sql: string): Promise<string> {
  const { out } = await run(['query', sql, '--format', 'csv']);
  return out.split('\r\n')[1] as string;
}

async function run(words: string[]): Promise<{ out: string; err: string }> {
  const host = bufferHost({ workingDirectory: folder, clock: () => Date.now() * 1_000 });
  const exit = await runCommandLine(words, host);
  expect({ words, exit, err: exit === 0 ? '' : host.err() }).toEqual({ words, exit: 0, err: '' });
  expect(host.out(), words.join(' ')).not.toBe('');
  return { out: host.out(), err: host.err() };
}
