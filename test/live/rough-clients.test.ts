import { type ExecFileException, execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../faults/command-line.ts';
import { startUp, stopUp } from './running-up.ts';

/** Against the real `up`, with a client that is not ours: curl, and bytes on a socket. What was taken and what was not is looked up in the tables at the end. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-rough-'));
const data = join(folder, 'data');
const taken = new Set<string>();
let up: Awaited<ReturnType<typeof startUp>>;
let records = 0;

beforeAll(async () => {
  up = await startUp(data);
});
afterAll(async () => {
  up.child.kill('SIGKILL');
  await up.ended;
  rmSync(folder, { recursive: true });
});

/** New ones each time; `isTaken`: they have to be in the tables at the end. */
function impressions(count: number, isTaken = true): string {
  let lines = '';
  for (let i = 0; i < count; i++) {
    const id = `n${records++}`;
    if (isTaken) taken.add(id);
    lines += `${JSON.stringify({ impression_id: id, creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w.example' })}\n`;
  }
  return lines;
}

/** The status, or how curl failed. */
function curl(body: string | Uint8Array, ...options: string[]): Promise<string> {
  const file = join(folder, `body-${records++}`);
  writeFileSync(file, body);
  const url = `${up.url}/v1/events/ad-impressions`;
  const words = ['-sS', '-o', join(folder, 'answer'), '-w', '%{http_code}', '-H', 'Content-Type: application/x-ndjson', '--data-binary', `@${file}`];
  return new Promise((resolve) => {
    execFile('curl', [...words, ...options, url], (error: ExecFileException | null, stdout) => resolve(error === null ? stdout : `curl ${error.code}`));
  });
}

/** Sends the text, ends or breaks the connection if told to, and gives what came back. */
function raw(text: string, then: 'wait' | 'end' | 'break' = 'wait'): Promise<string> {
  const socket = connect(Number(new URL(up.url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(text, () => {
    if (then === 'end') socket.end();
    if (then === 'break') socket.destroy();
  });
  return new Promise((resolve) => socket.on('close', () => resolve(received)));
}
const head = (...headers: string[]) =>
  `POST /v1/events/ad-impressions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n${headers.join('\r\n')}\r\n\r\n`;
const gzip = ['-H', 'Content-Encoding: gzip'];

describe('curl is answered', () => {
  it.each<[string, string[]]>([
    ['as it comes', []],
    ['in pieces', ['-H', 'Transfer-Encoding: chunked']],
    ['by HTTP/1.0', ['-0']],
    ['when it asks before it sends', ['-H', 'Expect: 100-continue']],
    ['when it asks for HTTP/2 in clear text', ['--http2']],
    ['when it is slow', ['--limit-rate', '20000']],
  ])('%s', async (_name, options) => {
    expect(await curl(impressions(300), ...options)).toBe('200');
  });

  it('when its body is compressed, by one program or by several', async () => {
    expect(await curl(gzipSync(impressions(300)), ...gzip)).toBe('200');
    expect(await curl(Buffer.concat([gzipSync(impressions(100)), gzipSync(impressions(100))]), ...gzip)).toBe('200');
    const frames = Buffer.concat([zstdCompressSync(impressions(100)), zstdCompressSync(impressions(100))]);
    expect(await curl(frames, '-H', 'Content-Encoding: zstd')).toBe('200');
  });
});

describe('a wrong length', () => {
  it('that is too large: nothing is taken, and nobody waits for it', async () => {
    expect(await curl(impressions(3, false), '-H', 'Content-Length: 100000', '-m', '1')).toBe('curl 28');
    expect(await raw(`${head('Content-Length: 100000')}${impressions(3, false)}`, 'end')).not.toContain(' 200 ');
  });

  it('that is too small: what it says is taken, and the rest is no request, which is all that the sender is told', async () => {
    const first = impressions(1);
    const received = await raw(`${head(`Content-Length: ${first.length}`)}${first}${impressions(2, false)}`);
    expect(received).toMatch(/HTTP\/1.1 400 /);
  });

  it('of a sender that dies half-way: nothing is taken', async () => {
    const body = impressions(50, false);
    for (const part of [0, 1, 1_000, body.length - 1]) await raw(`${head(`Content-Length: ${body.length}`)}${body.slice(0, part)}`, 'break');
    await raw(`${head('Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n`, 'break');
  });
});

describe('what decompresses to far more than it is', () => {
  it.each([
    ['gzip', gzipSync(Buffer.alloc(200_000_000, '\n'))],
    ['zstd', zstdCompressSync(Buffer.alloc(200_000_000, '\n'))],
  ])('is refused: %s', async (coding, bomb) => {
    expect(bomb.length).toBeLessThan(500_000);
    expect(await curl(bomb, '-H', `Content-Encoding: ${coding}`)).toBe('413');
  });

  it('is refused where it is millions of records: others do not wait for them', async () => {
    const bomb = gzipSync(Buffer.alloc(60_000_000, '{}\n'));
    const started = performance.now();
    expect(await curl(bomb, ...gzip)).toBe('413');
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('within what is compressed already is not looked at', async () => {
    // The inner one is no JSON: one malformed record.
    expect(await curl(gzipSync(gzipSync(Buffer.alloc(60_000_000))), ...gzip)).toBe('422');
  });

  it('in many requests at once takes no more memory than others, and some are asked to come back', async () => {
    const bomb = gzipSync(Buffer.alloc(30_000_000, ' '));
    const answers = await Promise.all(Array.from({ length: 40 }, () => curl(bomb, ...gzip)));
    expect([...new Set(answers)].filter((answer) => answer !== '200' && answer !== '503')).toEqual([]);
    expect(answers).toContain('503');
    expect(answers).toContain('200');
    if (process.platform === 'linux') expect(peakMegabytes()).toBeLessThan(1_000);
    expect(await curl(impressions(10))).toBe('200');
  });
});

it('at the end has every record that was acknowledged, and no other', async () => {
  await stopUp(up);
  const { stdout } = await run(['query', 'select impression_id as id from silver.impressions', '--format', 'json', '--data', data]);
  const ids = (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  expect(ids.length).toBe(taken.size);
  expect(new Set(ids)).toEqual(taken);
  expect((await run(['recon', '--data', data])).status).toBe(0);
});

function peakMegabytes(): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${up.child.pid}/status`, 'utf8'))?.[1]) / 1_024);
}
