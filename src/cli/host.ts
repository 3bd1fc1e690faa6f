/** What the command line has of the world: the process in `main.ts`, buffers in a test. */
export interface CliHost {
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly stdin: NodeJS.ReadableStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Aborted by Ctrl-C or a termination signal: work ends at the next safe place. */
  readonly signal: AbortSignal;
  /** Microseconds since 1970. */
  readonly clock: () => number;
  /** Told before each step of a batch. No command line that people run has it: `chaos` and tests stop a process at a step. */
  readonly onStep?: (step: string) => void;
}

export interface CliStream {
  /** Resolves when more may be written. After the reader is gone it does nothing. */
  write(text: string | Uint8Array): Promise<void>;
  readonly isTerminal: boolean;
  readonly hasColour: boolean;
  /** Columns, of a terminal. */
  readonly width: number | undefined;
  /** For libraries that draw on a stream themselves. */
  readonly raw: NodeJS.WritableStream;
}
