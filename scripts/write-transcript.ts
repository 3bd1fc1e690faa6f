/** Runs the demo as the README says, and puts what it prints into the README. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceTranscript } from './docs/transcript.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-transcript-'));

try {
  const printed = await run(['node', join(root, 'bin/advertisex.js'), 'demo'], folder);
  const readme = join(root, 'README.md');
  writeFileSync(readme, replaceTranscript(readFileSync(readme, 'utf8'), 'npm run demo', printed));
  console.log(printed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Both streams, in the order in which they were written. */
async function run([command = '', ...words]: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, words, { cwd, env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`The demo ended with ${code}:\n${printed}`);
  return printed;
}
