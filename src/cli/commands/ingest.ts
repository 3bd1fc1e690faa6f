import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Argument, Option } from 'commander';
import type { OwnerProcess } from '../../app/ask-owner.ts';
import type { IngestProgress, IngestRequest, IngestSummary } from '../../app/ingest-files.ts';
import { AdvertiseXError, unreadableSource } from '../../domain/errors.ts';
import { FEEDS, type Feed, FILE_ENCODINGS, type FileEncoding } from '../../domain/feeds.ts';
import { isObjectUrl, parseObjectUrl } from '../../domain/object-location.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { type FeedGroup, feedGroups } from '../feed-groups.ts';
import { parseDelimiter } from '../option-values.ts';
import { requireRunning, rulesOfContext, withInstanceOrOwner } from '../with-instance.ts';
import { exportWithProgress } from './lake.ts';

const STANDARD_INPUT = '-';

export const ingest: CommandDefinition = {
  name: 'ingest',
  summary: 'take in files of the feeds: JSON, CSV or Avro, plain, gzip or zstd, and Parquet',
  description:
    'Takes in files, folders and patterns (or standard input as -), also of a bucket (s3://bucket/key), and says for each file what became of its records. The name of another feed begins the paths of that feed; reference data is taken first, whatever stands first. A file whose content was taken already is left alone, so the same command can be run again after anything.',
  examples: [
    'advertisex ingest ad-impressions logs/2026-03-01',
    'advertisex ingest campaigns campaigns.csv ad-impressions logs clicks-conversions exports bid-requests bids.avro',
    `advertisex ingest clicks-conversions 'exports/*.csv.gz' --delimiter ';'`,
    "advertisex ingest ad-impressions s3://logs/2026-03-01 's3://logs/late/*.gz'",
    'zcat day.json.gz | advertisex ingest ad-impressions -',
  ],
  declare: (command) => {
    command.addArgument(new Argument('<feed>', 'what the files hold').choices(FEEDS));
    command.argument('<path...>', 'files, folders, patterns, s3://bucket/…, or - for standard input; one called like a feed is written ./campaigns');
    command.usage('[options] <feed> <path...> [<feed> <path...>]...');
    command.addOption(new Option('--encoding <encoding>', 'of the files, with one feed (default: told from each file)').choices(FILE_ENCODINGS));
    command.option('--delimiter <character>', 'between the cells of CSV, with one feed (default: ,)', parseDelimiter);
  },

  run: async (context, [feed, words], options) => {
    const groups = feedGroups(feed as Feed, words as readonly string[]);
    const format: FileFormat = {
      ...(options.encoding === undefined ? {} : { encoding: options.encoding as FileEncoding }),
      ...(options.delimiter === undefined ? {} : { delimiter: String(options.delimiter) }),
    };
    requireReadable(context, groups, format);
    const { SourceFiles } = await import('../../app/source-files.ts');
    const files = fileRequests(context, groups, format);
    const piped = groups.find(({ paths }) => paths.includes(STANDARD_INPUT));
    const { limits, s3 } = context.settings();
    const open = (requests: readonly IngestRequest[]) => SourceFiles.open(requests, limits.workers, s3, context.signal);
    // Files are hashed while the data is opened; what is piped in has to be kept there first.
    const early = piped === undefined ? await open(files) : undefined;
    try {
      return await withInstanceOrOwner<ExitCode>(
        context,
        'ingest',
        async (instance) => {
          const { ingestSources } = await import('../../app/ingest-files.ts');
          const keep = (feed: Feed) => keepStandardInput(context, feed, join(instance.directory.staging, 'standard-input'), format);
          const sources = early ?? (await open([...files, await keep((piped as FeedGroup).feed)]));
          const summary = await ingestWithProgress(context, (onProgress) => ingestSources(instance, sources, onProgress));
          await showIngest(context, summary);
          const { compactInstance, FOLD_FROM_BATCHES } = await import('../../app/compact.ts');
          await compactInstance(instance, { fromBatches: FOLD_FROM_BATCHES });
          // Also where nothing is new: the run before may have been stopped on its way to the lake.
          if (instance.settings.lake.after_ingest) await exportWithProgress(context, instance);
          return 0;
        },
        async (owner) => {
          await early?.close();
          await ingestThroughOwner(context, owner, files, piped?.feed, format);
          return 0;
        },
      );
    } finally {
      await early?.close();
    }
  },
};

type FileFormat = Pick<IngestRequest, 'encoding' | 'delimiter'>;

/** By the process that holds the data, beside what it takes live. What is piped in is put next to the data for it. */
async function ingestThroughOwner(
  context: CommandContext,
  owner: OwnerProcess,
  files: readonly IngestRequest[],
  piped: Feed | undefined,
  format: FileFormat,
): Promise<void> {
  const spool = join(owner.directory.staging, `standard-input-${randomUUID()}`);
  try {
    const requests = piped === undefined ? files : [...files, await keepStandardInput(context, piped, spool, format)];
    const rules = await rulesOfContext(context);
    context.messages.note(`The running process takes them in: ${owner.description}.`);
    const waiting = (others: number) =>
      context.messages.note(`It is at something else for ${others === 1 ? 'another command' : `${others} other commands`}, which comes first.`);
    const summary = await ingestWithProgress(context, (onProgress) => owner.perform('ingest', { rules, requests }, onProgress, waiting));
    await showIngest(context, summary);
    if (context.settings().lake.after_ingest)
      context.messages.note('That process writes the lake now and then (lake.every_seconds) and when it ends, or when `advertisex lake export` asks for it.');
  } finally {
    await rm(spool, { force: true });
  }
}

/** A bar by bytes read. Between two reports the work can be stopped. */
export async function ingestWithProgress(
  context: CommandContext,
  start: (onProgress: (progress: IngestProgress) => void) => Promise<IngestSummary>,
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

/** What can be told to be wrong before the data is opened. */
function requireReadable(context: CommandContext, groups: readonly FeedGroup[], format: FileFormat): void {
  const paths = groups.flatMap((group) => group.paths);
  for (const url of paths.filter(isObjectUrl)) parseObjectUrl(url);
  const remote = paths.find((path) => /^[a-z][a-z0-9+]*:\/\//i.test(path) && !isObjectUrl(path));
  if (remote !== undefined) {
    throw new AdvertiseXError(
      'source_unreadable',
      `${remote} cannot be read: only files of this machine and s3://bucket/key can`,
      'Copy the files here first, or pipe them in: `… | advertisex ingest FEED -`.',
    );
  }
  // A feed's name with a slip in it would be taken for a path.
  const misspelled = paths.find((path) => /^[a-z]+([-_][a-z]+)*$/i.test(path) && !existsSync(context.path(path)));
  if (misspelled !== undefined) {
    throw new AdvertiseXError(
      'source_unreadable',
      `There is no file, folder or feed called ${misspelled}`,
      `Check the path, or the name of the feed: ${FEEDS.join(', ')}.`,
    );
  }
  const option = format.encoding !== undefined ? '--encoding' : format.delimiter !== undefined ? '--delimiter' : undefined;
  // Feeds are seldom written alike, and a file that was read in the wrong way is taken: it would not be read again.
  if (option !== undefined && groups.length > 1) {
    throw new AdvertiseXError(
      'usage',
      `${option} says how the files of one feed are written, and there are ${groups.length}`,
      'Ingest the feed that needs it with a command of its own.',
    );
  }
  if (groups.filter(({ paths }) => paths.includes(STANDARD_INPUT)).length > 1)
    throw new AdvertiseXError('usage', 'Standard input (-) stands after more than one feed', 'It can be read once: leave it to one feed.');
}

function fileRequests(context: CommandContext, groups: readonly FeedGroup[], format: FileFormat): IngestRequest[] {
  return groups.flatMap(({ feed, paths }) => {
    const files = paths.filter((path) => path !== STANDARD_INPUT);
    return files.length === 0 ? [] : [{ feed, paths: files.map((path) => (isObjectUrl(path) ? path : context.path(path))), ...format }];
  });
}

/** A file is known by its content before it is taken, so the whole input has to be here first. */
async function keepStandardInput(context: CommandContext, feed: Feed, spool: string, format: FileFormat): Promise<IngestRequest> {
  await pipeline(context.host.stdin, createWriteStream(spool), { signal: context.signal }).catch((cause) => Promise.reject(spoolFailure(spool, cause)));
  return { feed, paths: [spool], sourceName: 'stdin', ...format };
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
