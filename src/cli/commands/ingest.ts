import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Argument, Option } from 'commander';
import type { IngestRequest, IngestSummary } from '../../app/ingest-files.ts';
import { AdvertiseXError, unreadableSource } from '../../domain/errors.ts';
import { ENCODINGS, type Encoding, FEEDS, type Feed } from '../../domain/feeds.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { requireRunning, withInstance } from '../with-instance.ts';
import { exportWithProgress } from './lake.ts';

const STANDARD_INPUT = '-';

export const ingest: CommandDefinition = {
  name: 'ingest',
  summary: 'take in files of a feed: JSON, CSV or Avro, plain, gzip or zstd',
  description:
    'Takes in files, folders and patterns (or standard input as -) of one feed, and says for each file what became of its records. A file whose content was taken already is left alone, so the same command can be run again after anything.',
  examples: [
    'advertisex ingest ad-impressions logs/2026-03-01',
    `advertisex ingest clicks-conversions 'exports/*.csv.gz' --delimiter ';'`,
    'zcat day.json.gz | advertisex ingest ad-impressions -',
  ],
  declare: (command) => {
    command.addArgument(new Argument('<feed>', 'what the files hold').choices(FEEDS));
    command.argument('<path...>', 'files, folders, patterns, or - for standard input');
    command.addOption(new Option('--encoding <encoding>', 'of the files (default: told from each file)').choices(ENCODINGS));
    command.option('--delimiter <character>', 'between the cells of CSV', parseDelimiter);
  },

  run: (context, [feed, paths], options) =>
    withInstance<ExitCode>(context, 'ingest', 'write', async (instance) => {
      const { ingestFiles } = await import('../../app/ingest-files.ts');
      const requests = await planRequests(context, feed as Feed, paths as readonly string[], instance.directory.staging, {
        ...(options.encoding === undefined ? {} : { encoding: options.encoding as Encoding }),
        ...(options.delimiter === undefined ? {} : { delimiter: String(options.delimiter) }),
      });
      const summary = await ingestWithProgress(context, (onProgress) => ingestFiles(instance, requests, onProgress));
      await showIngest(context, summary);
      // Also where nothing is new: the run before may have been stopped on its way to the lake.
      if (instance.settings.lake.after_ingest) await exportWithProgress(context, instance);
      return 0;
    }),
};

/** A bar by bytes read. Between two reports the work can be stopped. */
export async function ingestWithProgress(
  context: CommandContext,
  start: (onProgress: Parameters<typeof import('../../app/ingest-files.ts').ingestFiles>[2]) => Promise<IngestSummary>,
): Promise<IngestSummary> {
  const bar = context.messages.progress('Ingesting', { total: 100 });
  try {
    return await start(({ stage, bytesRead, bytesTotal, recordsCommitted }) => {
      requireRunning(context);
      const share = bytesTotal === 0 ? 0 : Math.min(99, Math.floor((100 * bytesRead) / bytesTotal));
      bar.update(stage === 'finishing' ? 100 : share, `${recordsCommitted.toLocaleString('en')} records committed`);
    });
  } finally {
    bar.stop();
  }
}

/** What became of the records, by file. */
export async function showIngest(context: CommandContext, { files, outcomes, batches, restated }: IngestSummary): Promise<void> {
  const rows = files.map((file) => [file.path, file.state === 'known' ? 'known' : file.complete ? 'taken' : 'damaged', ...counts(file.outcomes)]);
  if (rows.length > 1 && context.output.format === 'table') rows.push([`${rows.length} files`, '', ...counts(outcomes)]);
  await context.output.one(
    { files, outcomes, batches, restated },
    {
      columns: [
        { name: 'file', kind: 'text' },
        { name: 'state', kind: 'text' },
        ...(['received', 'accepted', 'duplicate', 'quarantined'] as const).map((name) => ({ name, kind: 'count' as const })),
      ],
      rows,
    },
  );
  if (files.some((file) => !file.complete))
    context.messages.warn('A damaged file was taken up to the damage. Ingest it again when you have it whole: what was taken is not taken twice.');
  if (outcomes.quarantined > 0) context.messages.note(`${outcomes.quarantined.toLocaleString('en')} records are in quarantine: advertisex quarantine list`);
  if (files.length > 0 && files.every((file) => file.state === 'known')) context.messages.note('All of this was taken before; nothing changed.');
}

function counts(outcomes: IngestSummary['outcomes']): number[] {
  return [outcomes.received, outcomes.accepted, outcomes.duplicate, outcomes.quarantined];
}

async function planRequests(
  context: CommandContext,
  feed: Feed,
  paths: readonly string[],
  staging: string,
  options: Pick<IngestRequest, 'encoding' | 'delimiter'>,
): Promise<IngestRequest[]> {
  const remote = paths.find((path) => /^[a-z][a-z0-9+]*:\/\//i.test(path));
  if (remote !== undefined) {
    throw new AdvertiseXError(
      'source_unreadable',
      `${remote} cannot be read: only files of this machine can`,
      'Copy the files here first, or pipe them in: `… | advertisex ingest FEED -`.',
    );
  }
  const files = paths.filter((path) => path !== STANDARD_INPUT);
  const requests: IngestRequest[] = files.length === 0 ? [] : [{ feed, paths: files.map((path) => context.path(path)), ...options }];
  if (files.length < paths.length) {
    // A file is known by its content before it is taken, so the whole input has to be here first.
    const spool = join(staging, 'standard-input');
    await pipeline(context.host.stdin, createWriteStream(spool), { signal: context.signal }).catch((cause) => Promise.reject(spoolFailure(spool, cause)));
    requests.push({ feed, paths: [spool], sourceName: 'stdin', ...options });
  }
  return requests;
}

function spoolFailure(spool: string, cause: NodeJS.ErrnoException): unknown {
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT') {
    return new AdvertiseXError(
      'disk_full',
      `There is no space left to keep standard input in ${spool}`,
      'Free space, or move the data directory (--data) to a larger disk, and run the same command again.',
      cause,
    );
  }
  if (cause.name === 'AbortError') return cause;
  return cause.syscall === 'read' ? unreadableSource('Standard input', cause) : unusableSpool(spool, cause);
}

function unusableSpool(spool: string, cause: Error): AdvertiseXError {
  return new AdvertiseXError(
    'data_unusable',
    `Standard input cannot be kept in ${spool}: ${cause.message}`,
    'Check that the data directory exists and that this user may write to it, then run the same command again.',
    cause,
  );
}

function parseDelimiter(text: string): string {
  const character = text === '\\t' || text === 'tab' ? '\t' : text;
  if (character.length !== 1 || character.charCodeAt(0) > 127 || /["\r\n]/.test(character)) {
    throw new AdvertiseXError('usage', `The delimiter ${JSON.stringify(text)} is not one ASCII character`, 'Give one character, like ; or |, or tab.');
  }
  return character;
}
