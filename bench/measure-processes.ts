import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of the processes and all their children. */
  readonly cpuSeconds: number;
  /** Most memory resident at once, summed over the process tree. */
  readonly peakRssBytes: number;
}

const SAMPLE_MS = 50;
const TIME = '/usr/bin/time';

/** Runs whole processes one after another: wall and CPU time add up, the peak is the highest. Throws when one fails. */
export async function measureProcesses(commands: readonly (readonly string[])[], environment: Readonly<Record<string, string>> = {}): Promise<Measurement> {
  let total: Measurement = { wallSeconds: 0, cpuSeconds: 0, peakRssBytes: 0 };
  for (const command of commands) {
    const one = await measureProcess(command, environment);
    total = {
      wallSeconds: total.wallSeconds + one.wallSeconds,
      cpuSeconds: total.cpuSeconds + one.cpuSeconds,
      peakRssBytes: Math.max(total.peakRssBytes, one.peakRssBytes),
    };
  }
  return total;
}

/** CPU time comes from the kernel's accounts of the ended process, by time(1); memory from samples of /proc. Linux only. */
async function measureProcess(command: readonly string[], environment: Readonly<Record<string, string>>): Promise<Measurement> {
  const scratch = await mkdtemp(join(tmpdir(), 'advertisex-bench-'));
  const accounts = join(scratch, 'time.txt');
  try {
    const started = performance.now();
    const child = spawn(TIME, ['-f', '%U %S', '-o', accounts, ...command], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keepEnd = (text: string) => {
      output = (output + text).slice(-20_000);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keepEnd);
    let peakRssBytes = 0;
    const sampler = setInterval(() => {
      if (child.pid !== undefined) peakRssBytes = Math.max(peakRssBytes, residentBytes(child.pid));
    }, SAMPLE_MS);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (cause) => reject(new Error(`${TIME} does not start; the benchmark needs GNU time and Linux`, { cause })));
      child.on('close', resolve);
    }).finally(() => clearInterval(sampler));
    const wallSeconds = (performance.now() - started) / 1000;
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`);
    const [user = 0, system = 0] = (await readFile(accounts, 'utf8')).trim().split(/\s+/).map(Number);
    return { wallSeconds, cpuSeconds: user + system, peakRssBytes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Of a process and all its descendants, now. */
function residentBytes(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statField(name, 1);
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  let pages = 0;
  for (const pid of parents.keys()) if (descendsFrom(pid, root, parents)) pages += statField(String(pid), 21) ?? 0;
  return pages * 4096;
}

function descendsFrom(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at)) if (at === root) return true;
  return false;
}

/** A number of /proc/PID/stat, counted after the process name, which may hold spaces: 1 is the parent, 21 the resident pages. */
function statField(pid: string, field: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[field]);
  } catch {
    return undefined; // It ended while we looked.
  }
}
