import { InvalidArgumentError, Option } from 'commander';

/** A whole number from 1: `--events 1000000`, also `1_000_000`. */
export function parseCount(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

export function parsePort(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('Expected a port, from 0 to 65535.');
  return value;
}

/** A day, `2026-03-01`. */
export function parseDay(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(time) || !new Date(time).toISOString().startsWith(text))
    throw new InvalidArgumentError('Expected a day, like 2026-03-01.');
  return text;
}

export function asOfOption(): Option {
  return new Option('--as-of <batch>', 'read everything as it was after this batch').argParser(parseCount);
}
