import { PassThrough, Readable } from 'node:stream';
import type { CliHost, CliStream } from '../../src/cli/host.ts';

export interface BufferHost extends CliHost {
  readonly out: () => string;
  readonly err: () => string;
}

/** A host whose streams are buffers, for running command lines inside a test. */
export function bufferHost(given: Partial<Omit<CliHost, 'stdout' | 'stderr'>> & { readonly width?: number } = {}): BufferHost {
  const stdout = bufferStream(given.width);
  const stderr = bufferStream(given.width);
  return {
    stdin: Readable.from([]),
    environment: {},
    workingDirectory: process.cwd(),
    signal: new AbortController().signal,
    clock: () => Date.UTC(2026, 2, 1) * 1_000,
    ...given,
    stdout: stdout.stream,
    stderr: stderr.stream,
    out: stdout.text,
    err: stderr.text,
  };
}

function bufferStream(width: number | undefined): { stream: CliStream; text: () => string } {
  const raw = new PassThrough();
  let text = '';
  return {
    stream: {
      raw,
      width,
      isTerminal: false,
      hasColour: false,
      write: async (more) => {
        text += typeof more === 'string' ? more : Buffer.from(more).toString('utf8');
      },
    },
    text: () => text,
  };
}
