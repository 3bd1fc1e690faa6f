import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadSettings } from '../config/load-settings.ts';
import type { Settings } from '../config/settings.ts';
import type { CliHost } from './host.ts';
import { createMessages, type Messages } from './messages.ts';
import { createOutput, type Output, type OutputFormat } from './output/output.ts';

const DEFAULT_DATA = 'advertisex-data';
const DEFAULT_CONFIG = 'advertisex.yaml';

/** Values of the options that every command has. */
export interface GlobalOptions {
  readonly data?: string;
  readonly config?: string;
  readonly format: OutputFormat;
  readonly quiet?: boolean;
}

/** What a command gets to do its work with. */
export interface CommandContext {
  readonly host: CliHost;
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly messages: Messages;
  /** Absolute. */
  readonly dataDirectory: string;
  /** The settings file, absolute, where there is one. */
  readonly configPath: string | undefined;
  /** Read at the first call: a command that needs no settings works beside a file that is wrong. */
  settings(): Settings;
  /** A path as the user wrote it, made absolute. */
  path(path: string): string;
}

export function createContext(host: CliHost, options: GlobalOptions): CommandContext {
  const path = (relative: string): string => resolve(host.workingDirectory, relative);
  const named = options.config ?? host.environment.ADVERTISEX_CONFIG;
  const configPath = named !== undefined ? path(named) : existsSync(path(DEFAULT_CONFIG)) ? path(DEFAULT_CONFIG) : undefined;
  let settings: Settings | undefined;
  return {
    host,
    signal: host.signal,
    output: createOutput(host, options.format),
    messages: createMessages(host, options.quiet ?? false),
    dataDirectory: path(options.data ?? host.environment.ADVERTISEX_DATA ?? DEFAULT_DATA),
    configPath,
    settings: () => {
      settings ??= loadSettings({ path: configPath, environment: host.environment });
      return settings;
    },
    path,
  };
}
