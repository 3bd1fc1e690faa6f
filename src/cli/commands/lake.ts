import type { Instance } from '../../app/instance.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { requireRunning, withInstance, withInstanceOrOwner } from '../with-instance.ts';

type LakeExport = Awaited<ReturnType<typeof import('../../app/write-lake.ts').exportInstanceLake>>;
type OnProgress = (progress: { readonly slicesDone: number; readonly slicesToDo: number }) => void;

export const lakeExport: CommandDefinition = {
  name: 'lake export',
  summary: 'bring the Parquet files up to the last batch',
  description:
    'Writes the days that changed since the last export to lake/<table>/dt=<day>/ in the data directory, each day replaced at once, and puts them to lake.location where that is set. Whenever it is stopped, every day is whole, and the next export does the rest.',
  examples: ['advertisex lake export', 'advertisex lake export --all'],
  declare: (command) => {
    command.option('--all', 'every day again, changed or not');
    command.option('--take-over', 'also where the lake at lake.location is that of another data directory, or newer than this one');
  },

  run: async (context, _parameters, options) => {
    const asked = { everything: options.all === true, takeOver: options.takeOver === true };
    const done = await withInstanceOrOwner(
      context,
      'lake export',
      (instance) => exportWithProgress(context, instance, asked),
      (owner) => withBar(context, (onProgress) => owner.perform('export-lake', asked, onProgress)),
    );
    await showLake(context, done);
    return 0;
  },
};

export const lakeCompact: CommandDefinition = {
  name: 'lake compact',
  summary: 'write every day again as one file, and clear the lake of what does not belong',
  description: 'Writes every day of every table again as one file, and removes files in its folders that engines would read but no export put there.',
  examples: ['advertisex lake compact'],

  run: (context) =>
    withInstance<ExitCode>(context, 'lake compact', 'write', async (instance) => {
      const { compactInstanceLake } = await import('../../app/write-lake.ts');
      const done = await withBar(context, (onProgress) => compactInstanceLake(instance, { onProgress }));
      await showLake(context, done);
      for (const path of done.swept) context.messages.note(`removed ${path}`);
      return 0;
    }),
};

export async function exportWithProgress(
  context: CommandContext,
  instance: Instance,
  asked: { readonly everything?: boolean; readonly takeOver?: boolean } = {},
): Promise<LakeExport> {
  const { exportInstanceLake } = await import('../../app/write-lake.ts');
  return withBar(context, (onProgress) => exportInstanceLake(instance, { ...asked, onProgress }));
}

async function withBar<T>(context: CommandContext, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
  const bar = context.messages.progress('Writing the lake', { total: 100 });
  try {
    return await work(({ slicesDone, slicesToDo }) => {
      requireRunning(context);
      bar.update(slicesToDo === 0 ? 100 : Math.floor((100 * slicesDone) / slicesToDo), `${slicesDone} of ${slicesToDo} days`);
    });
  } finally {
    bar.stop();
  }
}

async function showLake(context: CommandContext, done: LakeExport): Promise<void> {
  await context.output.one(done, {
    columns: [
      { name: 'table', kind: 'text' },
      ...(['written', 'removed', 'rows', 'bytes'] as const).map((name) => ({
        name,
        kind: 'count' as const,
        ...(name === 'written' ? { heading: 'days written' } : {}),
      })),
    ],
    rows: done.tables.map(({ name, written, removed, rows, bytes }) => [name, written, removed, rows, bytes]),
  });
  if (done.upload === undefined) return;
  const { location, uploaded, bytes, removed } = done.upload;
  const count = (value: number) => value.toLocaleString('en');
  context.messages.note(`${location}: ${count(uploaded)} files (${count(bytes)} bytes) put there, ${count(removed)} removed.`);
}
