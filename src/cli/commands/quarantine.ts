import { type Command, Option } from 'commander';
import type { QuarantinedRecord, QuarantineFilter } from '../../app/quarantine.ts';
import { FEEDS } from '../../domain/feeds.ts';
import { QUARANTINE_CODES } from '../../domain/outcome.ts';
import type { CellValue, ResultColumn, ResultTable } from '../../domain/result-table.ts';
import { decodeText, plainObject } from '../../rendering/plain-object.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import { parseCount } from '../option-values.ts';
import { listOfFields } from '../output/engine-rows.ts';
import { rulesOfContext, withInstance, withInstanceOrOwner } from '../with-instance.ts';

const SHOWN_RECORDS = 50;

export const quarantineList: CommandDefinition = {
  name: 'quarantine list',
  summary: 'records that broke their contract, the newest first',
  description:
    'Lists records in quarantine, the newest first, or with --summary their number by feed, code and field. Records that were replayed to success are left out unless --all.',
  examples: ['advertisex quarantine list --summary', 'advertisex quarantine list --feed ad-impressions --code bad_timestamp --since 2026-03-01'],
  declare: (command) => {
    declareFilter(command);
    command.option('--summary', 'count them by feed, code and field');
    command.option('--all', 'those that were replayed to success as well');
    command.option('--limit <records>', 'at most so many', parseCount, SHOWN_RECORDS);
  },

  run: (context, _parameters, options) =>
    withInstance<ExitCode>(context, 'quarantine list', 'read', async (instance) => {
      const app = await import('../../app/quarantine.ts');
      const filter = { ...filterOf(options), all: options.all === true };
      const result = options.summary === true ? await app.countQuarantine(instance, filter) : await app.listQuarantine(instance, filter, Number(options.limit));
      await context.output.table(context.output.format === 'table' ? forPeople(result) : result);
      return 0;
    }),
};

export const quarantineShow: CommandDefinition = {
  name: 'quarantine show',
  summary: 'one record with every rule it broke, and its bytes',
  description: 'Shows where a record came from, every rule it broke, and the record as it was received. The first digits of the id are enough.',
  examples: ['advertisex quarantine show 3f2a9c', 'advertisex quarantine show 3f2a9c --raw > record.json'],
  declare: (command) => {
    command.argument('<id>', 'quarantine_id of the record');
    command.option('--raw', 'nothing but the bytes of the record');
  },

  run: (context, [id], options) =>
    withInstance<ExitCode>(context, 'quarantine show', 'read', async (instance) => {
      const { showQuarantined } = await import('../../app/quarantine.ts');
      const record = await showQuarantined(instance, String(id));
      if (options.raw === true) await context.output.text(record.raw);
      else if (context.output.format === 'json') await context.output.one(forPrograms(record), '');
      else {
        const { violations, raw, ...about } = record;
        await context.output.table(listOfFields(columnNames(about)));
        await context.output.text('\n');
        await context.output.table({
          columns: [
            { name: 'code', kind: 'text' },
            { name: 'field', kind: 'text' },
            { name: 'message', kind: 'text' },
          ],
          rows: violations.map(({ code, pointer, message }) => [code, pointer, message]),
        });
        if (context.output.format === 'table') await context.output.text(`\n${readable(raw)}\n`);
      }
      return 0;
    }),
};

export const quarantineReplay: CommandDefinition = {
  name: 'quarantine replay',
  summary: 'put records through again, after a contract or reference data changed',
  description:
    'Puts records in quarantine through the same path again, by the contracts, settings and reference data of today. What is accepted, or is a duplicate by now, leaves the quarantine; the rest stays.',
  examples: ['advertisex quarantine replay --code unknown_currency', 'advertisex quarantine replay 3f2a9c'],
  declare: (command) => {
    command.argument('[id...]', 'quarantine_id of records (default: all that the options choose)');
    declareFilter(command);
  },

  run: async (context, [ids], options) => {
    const chosen = ids as readonly string[];
    const filter = { ...filterOf(options), ...(chosen.length === 0 ? {} : { ids: chosen }) };
    const summary = await withInstanceOrOwner(
      context,
      'quarantine replay',
      async (instance) => (await import('../../app/quarantine.ts')).replayQuarantine(instance, filter),
      async (owner) => owner.perform('replay', { rules: await rulesOfContext(context), filter }),
    );
    await context.output.one(summary, {
      columns: (['replayed', 'accepted', 'duplicate', 'stillQuarantined'] as const).map((name) => ({
        name,
        heading: name === 'stillQuarantined' ? 'still quarantined' : name,
        kind: 'count',
      })),
      rows: [[summary.replayed, summary.accepted, summary.duplicate, summary.stillQuarantined]],
    });
    return 0;
  },
};

/** What a person looks at first. The first digits of an id are enough for `show` and `replay`. */
const PEOPLE_COLUMNS: Readonly<Record<string, string>> = {
  quarantine_id: 'id',
  records: 'records',
  received_at: 'received',
  feed: 'feed',
  code: 'code',
  path: 'field',
  example: 'example',
  message: 'message',
};
const ID_DIGITS = 8;

function forPeople(table: ResultTable): ResultTable {
  const kept = Object.keys(PEOPLE_COLUMNS)
    .map((name) => table.columns.findIndex((column) => column.name === name))
    .filter((index) => index >= 0);
  async function* rows(): AsyncGenerator<readonly CellValue[]> {
    for await (const row of table.rows) {
      yield kept.map((index) => {
        const name = table.columns[index]?.name;
        return name === 'quarantine_id' || name === 'example' ? String(row[index]).slice(0, ID_DIGITS) : (row[index] ?? null);
      });
    }
  }
  return {
    columns: kept.map((index) => ({ ...(table.columns[index] as ResultColumn), heading: PEOPLE_COLUMNS[table.columns[index]?.name ?? ''] ?? '' })),
    rows: rows(),
  };
}

function declareFilter(command: Command): void {
  command.addOption(new Option('--feed <feed>', 'of this feed').choices(FEEDS));
  command.addOption(new Option('--code <code>', 'with this code').choices(Object.keys(QUARANTINE_CODES)));
  command.option('--field <pointer>', 'about this field, as a JSON pointer: /auction/amount');
  command.option('--since <time>', 'received at this time or later');
  command.option('--until <time>', 'received before this time');
}

function filterOf(options: Readonly<Record<string, unknown>>): QuarantineFilter {
  const given = { feed: options.feed, code: options.code, path: options.field, since: options.since, until: options.until };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function columnNames({
  quarantineId,
  feed,
  source,
  position,
  encoding,
  contractVersion,
  receivedAtMicros,
  replayedAtMicros,
}: Omit<QuarantinedRecord, 'violations' | 'raw'>) {
  return {
    quarantine_id: quarantineId,
    feed,
    source,
    position,
    encoding,
    contract_version: contractVersion,
    received_at: receivedAtMicros,
    replayed_at: replayedAtMicros,
  };
}

function forPrograms({ violations, raw, ...about }: QuarantinedRecord): Record<string, unknown> {
  const text = decodeText(raw);
  return { ...plainObject(columnNames(about)), violations, ...(text === undefined ? { raw_base64: Buffer.from(raw).toString('base64') } : { raw: text }) };
}

/** Text as it is, but for control characters; other bytes in hex. */
function readable(raw: Uint8Array): string {
  const text = decodeText(raw);
  if (text !== undefined)
    return text
      .trimEnd()
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) =>
        character === '\r' ? '' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
  return (
    Buffer.from(raw)
      .toString('hex')
      .match(/.{1,64}/g) ?? []
  )
    .map((line) => (line.match(/../g) ?? []).join(' '))
    .join('\n');
}
