import type { Command } from 'commander';
import type { CommandContext } from './context.ts';

/** A command did what it was asked (0), or it is a check and found something (1). What goes wrong is thrown. */
export type ExitCode = 0 | 1;

/** One command, in one file under `commands/`. */
export interface CommandDefinition {
  /** `ingest`, or with its group: `quarantine list`. */
  readonly name: string;
  /** A line for the list of commands. */
  readonly summary: string;
  /** What it does and promises, for its help. */
  readonly description: string;
  /** Whole command lines, at least one; a test parses them. */
  readonly examples: readonly string[];
  /** Adds arguments and options. */
  declare?(command: Command): void;
  /** `parameters` are the values of its arguments, in order; `options` those of its own and the global options. */
  run(context: CommandContext, parameters: readonly unknown[], options: Readonly<Record<string, unknown>>): Promise<ExitCode>;
}
