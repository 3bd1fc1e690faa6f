import { once } from 'node:events';
import { constants } from 'node:os';
import type { WriteStream } from 'node:tty';
import type { CliHost, CliStream } from './host.ts';

/** The host of a real run: this process. */
export function createProcessHost(): CliHost {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second time the user means at once: what is not committed is done again by the next run.
      if (stopping.signal.aborted) process.exit(128 + constants.signals[signal]);
      stopping.abort(signal);
      // For whoever pressed the keys: elsewhere it would stand among the lines of a log.
      if (signal === 'SIGINT' && process.stderr.isTTY) process.stderr.write('\nStopping at the next safe place. Ctrl-C again stops at once.\n');
    });
  }
  return {
    stdout: processStream(process.stdout),
    stderr: processStream(process.stderr),
    stdin: process.stdin,
    environment: process.env,
    workingDirectory: process.cwd(),
    signal: stopping.signal,
    clock: () => Date.now() * 1_000,
  };
}

function processStream(stream: WriteStream): CliStream {
  let readerGone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `advertisex query … | head`: nobody reads on, which is no fault of ours; the work that was asked for still ends well.
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    readerGone = true;
  });
  return {
    raw: stream,
    isTerminal: stream.isTTY === true,
    width: stream.isTTY ? stream.columns : undefined,
    hasColour: hasColour(stream, process.env),
    write: async (text) => {
      if (readerGone || text.length === 0) return;
      if (stream.write(text)) return;
      await Promise.race([once(stream, 'drain'), once(stream, 'close')]).catch(() => {});
    },
  };
}

/** NO_COLOR and FORCE_COLOR as their pages say, then the terminal. */
function hasColour(stream: WriteStream, environment: Readonly<Record<string, string | undefined>>): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR !== undefined && environment.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && environment.TERM !== 'dumb' && stream.hasColors();
}
