import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { createProgram } from '../../src/cli/program.ts';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { bufferHost } from './buffer-host.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(line: string, environment: Record<string, string> = {}) {
  const host = bufferHost({ workingDirectory: folder, environment });
  const exit = await runCommandLine(splitWords(line), host);
  return { exit, out: host.out(), err: host.err() };
}

/** As a shell does, for the words and quotes that examples use. */
function splitWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

describe('the help', () => {
  it('lists every command, and is shown when there is none', async () => {
    const { exit, out, err } = await run('');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    for (const { name } of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${name.split(' ')[0]}\\b`, 'm'));
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each(COMMANDS.map((command) => [command.name, command] as const))('of %s has an example', async (name, command) => {
    const { exit, out, err } = await run(`${name} --help`);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) expect(out).toContain(example);
    expect(out).toContain('--format');
  });

  it.each(COMMANDS.flatMap((command) => command.examples.map((example) => [example, command.name] as const)))(
    'the example `%s` is a call of %s',
    async (example, name) => {
      const called: string[] = [];
      // What stands behind a pipe or a redirection is the shell's.
      const line = example.replace(/^.*\| (?=advertisex)/, '').split(/ [|>] /)[0] ?? '';
      const program = createProgram(bufferHost(), '0.0.0', async (definition) => {
        called.push(definition.name);
      });
      expect(splitWords(line)[0]).toBe('advertisex');
      await program.parseAsync(splitWords(line).slice(1), { from: 'user' });
      expect(called).toEqual([name]);
    },
  );
});

describe('a wrong call', () => {
  it.each([
    ['inti', /Unknown command 'inti'.*Did you mean init\?/s],
    ['doctor --formt json', /Unknown option '--formt'.*--format/s],
    ['doctor --format jsn', /Allowed choices are table, json, csv/],
    ['doctor twice', /doctor --help/],
  ])('`%s` exits with 2 and says what is right', async (line, message) => {
    const { exit, out, err } = await run(line);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(message);
  });
});

describe('init', () => {
  it('writes a configuration that doctor finds valid, and keeps what is there', async () => {
    expect(await run('init')).toMatchObject({ exit: 0, out: expect.stringContaining('advertisex.yaml') });
    writeFileSync(join(folder, 'advertisex.yaml'), readFileSync(join(folder, 'advertisex.yaml'), 'utf8').replace('currency: USD', 'currency: EUR'));
    const again = await run('init --format json');
    expect(JSON.parse(again.out)).toContainEqual({ file: 'advertisex.yaml', outcome: 'kept' });
    expect(readFileSync(join(folder, 'advertisex.yaml'), 'utf8')).toContain('currency: EUR');
    expect(readFileSync(join(folder, 'contracts/ad-impressions.odcs.yaml'), 'utf8')).toContain('website');
    expect(JSON.parse((await run('doctor --format json')).out)).toContainEqual({ check: 'settings', state: 'ok', detail: 'valid' });
  });

  it('says so when it cannot write', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await run('init file/below')).toMatchObject({ exit: 3, err: expect.stringMatching(/^Error: .*cannot be written.*\nNext: .*\[data_unusable\]\n$/s) });
  });
});

describe('doctor', () => {
  it('exits with 1 and names the line when the settings are wrong', async () => {
    writeFileSync(join(folder, 'advertisex.yaml'), 'instance:\n  curency: EUR\n');
    const { exit, out } = await run('doctor --format json');
    expect(exit).toBe(1);
    const findings = JSON.parse(out) as { check: string; state: string; detail: string }[];
    expect(findings.find(({ check }) => check === 'settings')).toMatchObject({
      state: 'problem',
      detail: expect.stringContaining('advertisex.yaml:2: instance.curency'),
    });
  });

  it('finds a data directory that is a file', async () => {
    writeFileSync(join(folder, 'advertisex-data'), '');
    const { exit, out } = await run('doctor --format csv');
    expect(exit).toBe(1);
    expect(out).toMatch(/^data directory,problem,/m);
  });

  it('takes the folder and the file from the environment', async () => {
    writeFileSync(join(folder, 'other.yaml'), 'lake:\n  after_ingest: maybe\n');
    const { out } = await run('doctor', { ADVERTISEX_CONFIG: 'other.yaml', ADVERTISEX_DATA: 'elsewhere' });
    expect(out).toContain('other.yaml:2: lake.after_ingest is "maybe", expected true or false');
    expect(out).toContain(join(folder, 'elsewhere'));
  });
});
