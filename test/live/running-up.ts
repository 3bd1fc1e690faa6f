import { expect } from 'vitest';
import { type Running, start } from '../faults/command-line.ts';

/** What a test that fails leaves behind ends with the tests of its file. */
const started = new Set<Running['child']>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** A running `up`, on a port that is free. */
export async function startUp(data: string, settings: Record<string, string> = {}, words: string[] = []): Promise<Running & { url: string }> {
  const running = start(['up', '--port', '0', '--data', data, ...words], settings);
  started.add(running.child);
  void running.ended.then(() => started.delete(running.child));
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    running.child.stderr?.on('data', (text: string) => {
      said += text;
      const found = /https?:\/\/\S+?(?=\/v1)/.exec(said);
      if (found !== null) resolve(found[0]);
    });
    void running.ended.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { ...running, url };
}

/** In order: it commits what it took. */
export async function stopUp({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM');
  const { status, stderr } = await ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('Stopping') });
}
