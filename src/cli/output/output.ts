import type { ResultTable } from '../../domain/result-table.ts';
import { renderCsv } from '../../rendering/render-csv.ts';
import { renderJson, renderJsonRows } from '../../rendering/render-json.ts';
import type { CliHost } from '../host.ts';
import { colour } from '../messages.ts';
import { renderTable } from './render-table.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'csv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** The result of a command, on standard output, in the format that was asked for. */
export interface Output {
  readonly format: OutputFormat;
  table(table: ResultTable): Promise<void>;
  /** Text between tables, for people, or bytes as they are. */
  text(text: string | Uint8Array): Promise<void>;
  /** A result that is one thing, not rows: as an object in JSON, else as the text or table given. */
  one(value: unknown, forPeople: string | ResultTable): Promise<void>;
}

export function createOutput(host: CliHost, format: OutputFormat): Output {
  const { stdout } = host;
  const write = async (parts: AsyncIterable<string>): Promise<void> => {
    // Not a write a row: a pipe takes large pieces far faster.
    let waiting = '';
    for await (const part of parts) {
      waiting += part;
      if (waiting.length >= 32_768) {
        await stdout.write(waiting);
        waiting = '';
      }
    }
    await stdout.write(waiting);
  };
  const table = async (result: ResultTable): Promise<void> => {
    if (format === 'json') await write(renderJsonRows(result));
    else if (format === 'csv') await write(renderCsv(result));
    else await write(renderTable(result, { width: stdout.width, heading: (text) => colour(stdout.hasColour, 'bold', text) }));
  };
  return {
    format,
    table,
    text: (text) => stdout.write(text),
    one: async (value, forPeople) => {
      if (format === 'json') await stdout.write(renderJson(value));
      else if (typeof forPeople === 'string') await stdout.write(forPeople.endsWith('\n') ? forPeople : `${forPeople}\n`);
      else await table(forPeople);
    },
  };
}
