import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

export interface UpOptions {
  /** The entry of the command line, with words of its own: called with a step, which occurrence of it to die at, and the command. */
  readonly program: readonly string[];
  readonly data: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly step: string;
  readonly occurrence: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything on standard error. */
  readonly said: string;
}

/** `advertisex up` in a process of its own, at a port that is free, with default settings. */
export class UpProcess {
  readonly ended: Promise<Ended>;
  /** Its address once it takes requests; undefined where it ended before. */
  readonly url: Promise<string | undefined>;
  private readonly child: ChildProcess;
  private said = '';

  constructor({ program, data, environment, step, occurrence }: UpOptions) {
    const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('ADVERTISEX_')));
    const words = [step, String(occurrence), 'up', '--port', '0', '--data', data];
    // There is no settings file in there.
    this.child = spawn(process.execPath, ['--no-warnings', ...program, ...words], {
      cwd: data,
      env: { ...own, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal, said: this.said }));
    });
    this.url = new Promise((resolve) => {
      this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
        const found = /http:\/\/\S+?(?=\/v1)/.exec(this.said);
        if (found !== null) resolve(found[0]);
      });
      this.ended.then(
        () => resolve(undefined),
        () => resolve(undefined),
      );
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.child.kill(signal);
  }

  /** It does nothing meanwhile, and its connections stay open. */
  async pause(milliseconds: number): Promise<void> {
    // There is no such signal.
    if (process.platform === 'win32') return;
    this.child.kill('SIGSTOP');
    await wait(milliseconds);
    this.child.kill('SIGCONT');
  }
}
