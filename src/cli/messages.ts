import { styleText } from 'node:util';
import type { CliHost } from './host.ts';
import { type Progress, startProgress } from './progress.ts';

/** What is said on standard error: results go to standard output alone. */
export interface Messages {
  /** Said unless `--quiet`. */
  note(text: string): void;
  /** Said always. */
  warn(text: string): void;
  /** A bar on a terminal, a line now and then elsewhere, nothing with `--quiet`. */
  progress(label: string, options?: { readonly total?: number; readonly unit?: string }): Progress;
}

export function createMessages(host: CliHost, quiet: boolean): Messages {
  const { stderr } = host;
  const say = (text: string): void => void stderr.write(`${text}\n`);
  return {
    note: (text) => {
      if (!quiet) say(text);
    },
    warn: (text) => say(`${colour(stderr.hasColour, 'yellow', 'Warning:')} ${text}`),
    progress: (label, options = {}) => startProgress(quiet ? undefined : host, label, options),
  };
}

export function colour(wanted: boolean, format: Parameters<typeof styleText>[0], text: string): string {
  return wanted ? styleText(format, text, { validateStream: false }) : text;
}
