import type { SourceStatus } from '../../app/live/live-source.ts';
import type { ResultTable } from '../../domain/result-table.ts';
import { formatForPrograms } from '../../rendering/format-cell.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { withInstance } from '../with-instance.ts';

export const status: CommandDefinition = {
  name: 'status',
  summary: 'what the data directory holds, and what is waiting',
  description:
    'Shows the last batch, records received by feed with their outcomes, files that were stopped half way or damaged, what is in quarantine, how far the lake is, and, while `up` is running, where it takes records from and how that goes.',
  examples: ['advertisex status', 'advertisex status --format json'],

  run: (context) =>
    withInstance<ExitCode>(context, 'status', 'read', async (instance) => {
      const app = await import('../../app/status.ts');
      const found = await app.status(instance);
      const sources = await runningSources(context);
      const [retention, feeds, quarantine] = [await held(found.retention), await held(found.feeds), await held(found.quarantine)];
      if (context.output.format !== 'table') {
        const { lastCommittedAtMicros, ...rest } = found;
        const last = lastCommittedAtMicros === null ? null : formatForPrograms(lastCommittedAtMicros, 'timestamp');
        await context.output.one(
          {
            ...rest,
            lastCommittedAt: last,
            retention: objects(retention),
            feeds: objects(feeds),
            quarantine: objects(quarantine),
            ...(sources === undefined ? {} : { sources }),
          },
          feeds,
        );
        return 0;
      }
      const last = found.lastCommittedAtMicros === null ? '' : `, the last one at ${formatForPrograms(found.lastCommittedAtMicros, 'timestamp')}`;
      await context.output.text(`${found.dataDirectory}: ${found.batches} ${found.batches === 1 ? 'batch' : 'batches'}${last}\n`);
      await context.output.text(
        `lake: ${found.lakeBatch === null ? 'not written yet' : found.lakeBatch < found.batches ? `as of batch ${found.lakeBatch}` : 'up to date'}\n\n`,
      );
      await context.output.table(counted(feeds));
      if (retention.rows.length > 0) {
        await context.output.text('\nkept since; what is older was removed for its age\n');
        await context.output.table(retention);
      }
      if (quarantine.rows.length > 0) {
        await context.output.text('\nin quarantine\n');
        await context.output.table(counted(quarantine));
      }
      if (sources !== undefined) {
        await context.output.text('\nsources of the running process\n');
        await context.output.table(sourcesTable(sources));
      }
      for (const path of found.filesInProgress) context.messages.warn(`${path} is taken in part: run its ingest again.`);
      if (found.filesIncomplete > 0) context.messages.warn(`${found.filesIncomplete} damaged: SELECT path FROM ops.files WHERE NOT complete`);
      return 0;
    }),
};

/** Undefined where no `up` is running. What it cannot say is no reason to show nothing. */
async function runningSources(context: CommandContext): Promise<readonly SourceStatus[] | undefined> {
  const { OwnerProcess } = await import('../../app/ask-owner.ts');
  const owner = await OwnerProcess.find(context.dataDirectory).catch(() => undefined);
  try {
    return await owner?.perform('sources', null).catch(() => undefined);
  } finally {
    await owner?.close();
  }
}

function sourcesTable(sources: readonly SourceStatus[]): ResultTable {
  return {
    columns: [
      { name: 'source', kind: 'text' },
      { name: 'state', kind: 'text' },
      { name: 'records', kind: 'count' },
      { name: 'files', kind: 'count' },
      { name: 'waiting', kind: 'count' },
      { name: 'refused', kind: 'count' },
      { name: 'trouble', kind: 'text' },
    ],
    rows: sources.map(({ name, state, takenRecords, takenFiles, waiting, refusedFiles, trouble }) => [
      name,
      state,
      takenRecords,
      takenFiles,
      waiting,
      refusedFiles,
      trouble,
    ]),
  };
}

interface HeldTable extends ResultTable {
  readonly rows: Awaited<ReturnType<typeof readAll>>;
}

async function held(table: ResultTable): Promise<HeldTable> {
  return { columns: table.columns, rows: await readAll(table) };
}

async function readAll(table: ResultTable) {
  const rows = [];
  for await (const row of table.rows) rows.push(row);
  return rows;
}

function counted(table: HeldTable): HeldTable {
  return { ...table, columns: table.columns.map((column) => (column.kind === 'integer' ? { ...column, kind: 'count' } : column)) };
}

function objects({ columns, rows }: HeldTable): unknown[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}
