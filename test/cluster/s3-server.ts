import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How an S3 server is reached. */
export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Server extends S3Access {
  stop(): Promise<void>;
}

const VERSION = 'v1.8.0';
const PROGRAMS = join(import.meta.dirname, '../../.cache', `versitygw-${VERSION}`);
const READY_MS = 30_000;

/** A server of its own for a test file: versitygw, built once from its sources (Go, two minutes). Or the one that TEST_S3 says, an `S3Access` as JSON. */
export async function s3Server(): Promise<S3Server> {
  const given = process.env['TEST_S3'];
  if (given !== undefined) return { ...(JSON.parse(given) as S3Access), stop: async () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'advertisex-s3-'));
  for (const name of ['data', 'attributes']) mkdirSync(join(folder, name));
  const port = await freePort();
  const access: S3Access = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    accessKeyId: `advertisex-${randomBytes(4).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const words = ['--port', `127.0.0.1:${port}`, '--region', access.region, '--quiet', 'posix', '--sidecar', join(folder, 'attributes'), join(folder, 'data')];
  const environment = { ...process.env, ROOT_ACCESS_KEY_ID: access.accessKeyId, ROOT_SECRET_ACCESS_KEY: access.secretAccessKey };
  const server = spawn(program(), words, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  const until = performance.now() + READY_MS;
  while (!(await answers(access.endpoint))) {
    if (server.exitCode !== null || performance.now() > until) throw new Error(`versitygw does not answer: ${said}`);
    await pause(50);
  }
  return {
    ...access,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function program(): string {
  const path = join(PROGRAMS, 'versitygw');
  if (existsSync(path)) return path;
  mkdirSync(PROGRAMS, { recursive: true });
  const { status, stderr } = spawnSync('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSION}`], {
    env: { ...process.env, GOBIN: PROGRAMS },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`versitygw cannot be built: ${stderr}`);
  return path;
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
