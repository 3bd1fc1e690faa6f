import { SingleBar } from 'cli-progress';
import type { CliHost } from './host.ts';

const MICROS_BETWEEN_LINES = 5_000_000;
/** Work that ends sooner needs no line of its own. */
const MICROS_BEFORE_FIRST_LINE = 2_000_000;

/** How far a piece of work is. */
export interface Progress {
  /** `done` of the total, or a count where no total is known. `detail` is the name of what is being worked on. */
  update(done: number, detail?: string): void;
  /** Removes the bar. */
  stop(): void;
}

interface ProgressOptions {
  readonly total?: number;
  readonly unit?: string;
}

/** Without a host nothing is shown. */
export function startProgress(host: CliHost | undefined, label: string, options: ProgressOptions): Progress {
  if (host === undefined) return { update: () => {}, stop: () => {} };
  return host.stderr.isTerminal ? drawBar(host, label, options) : writeLines(host, label, options);
}

function drawBar(host: CliHost, label: string, { total, unit = '' }: ProgressOptions): Progress {
  const counted = total === undefined ? `{value}${unit === '' ? '' : ` ${unit}`}` : '{bar} {percentage}%';
  const bar = new SingleBar({
    format: `${label} ${counted} {detail}`,
    stream: host.stderr.raw,
    barsize: 28,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
    // The process decides about signals: it ends the work first.
    gracefulExit: false,
    formatValue: (value, _options, type) => (type === 'value' ? value.toLocaleString('en') : String(value)),
  });
  bar.start(total ?? 0, 0, { detail: '' });
  return {
    update: (done, detail) => bar.update(done, detail === undefined ? undefined : { detail }),
    stop: () => bar.stop(),
  };
}

function writeLines(host: CliHost, label: string, { total, unit = '' }: ProgressOptions): Progress {
  let next = host.clock() + MICROS_BEFORE_FIRST_LINE;
  return {
    update: (done, detail) => {
      if (host.clock() < next) return;
      next = host.clock() + MICROS_BETWEEN_LINES;
      const far = total === undefined ? `${done.toLocaleString('en')} ${unit}`.trim() : `${Math.floor((100 * done) / Math.max(1, total))}%`;
      void host.stderr.write(`${label}: ${far}${detail === undefined ? '' : ` ${detail}`}\n`);
    },
    stop: () => {},
  };
}
