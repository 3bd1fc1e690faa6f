import { Option } from 'commander';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { GenerateOptions } from '../../generate/options.ts';
import type { CommandDefinition } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseCount, parseDay } from '../option-values.ts';

const DEFAULT_EVENTS = 100_000;

export const generate: CommandDefinition = {
  name: 'generate',
  summary: 'make realistic traffic, and the truth beside it',
  description:
    'Writes the three feeds in their default encodings, reference data, and the truth (what must come of them) to an empty folder. The same seed and options give the same bytes. docs/guides/generate.md describes the traffic and every rate.',
  examples: [
    'advertisex generate traffic',
    'advertisex generate traffic --events 1_000_000 --seed 7 --days 3',
    'advertisex generate traffic --rate malformed=0.02 --rate duplicateClicks=0',
  ],
  declare: (command) => {
    command.argument('<dir>', 'empty folder to write to');
    command.option('--events <number>', `about so many event records (default: ${DEFAULT_EVENTS})`, parseCount);
    command.option('--impressions <number>', 'instead of --events: exactly so many impressions', parseCount);
    command.option('--seed <text>', 'same seed, same bytes', '1');
    command.option('--start <date>', 'first day (default: the last one whose conversions are all in the past)', parseDay);
    command.option('--days <number>', 'days with impressions', parseCount);
    command.option('--tail-days <number>', 'days of conversions after them (default: 30; 0 for none)', parseDays);
    command.option('--campaigns <number>', 'how many (default: by the traffic)', parseCount);
    command.option('--sites <number>', 'how many (default: by the traffic)', parseCount);
    command.option('--users <number>', 'how many (default: by the traffic)', parseCount);
    command.option('--currency <code>', 'of the instance (default: USD)');
    command.option('--files <number>', 'files a feed (default: one an hour)', parseCount);
    command.addOption(new Option('--compression <kind>', 'of JSON and CSV files').choices(['none', 'gzip', 'zstd']));
    command.addOption(new Option('--avro-codec <codec>', 'of Avro files').choices(['null', 'deflate', 'snappy', 'zstandard']));
    command.option('--rate <name=value>', 'a rate of docs/guides/generate.md; may be given again', collectRate, {});
  },

  async run(context, [dir], options) {
    const summary = await generateWithProgress(context, { directory: context.path(String(dir)), ...(await generatorOptions(context, options)) });
    await context.output.one(summary, {
      columns: [
        { name: 'feed', kind: 'text' },
        ...(['received', 'accepted', 'duplicate', 'quarantined'] as const).map((name) => ({ name, kind: 'count' as const })),
        { name: 'files', kind: 'count' },
      ],
      rows: Object.entries(summary.feeds).map(([feed, { received, accepted, duplicate, quarantined, files }]) => [
        feed,
        received,
        accepted,
        duplicate,
        quarantined,
        files.length,
      ]),
    });
    context.messages.note(
      `\n${summary.records.toLocaleString('en')} records, ${(summary.bytes / 1e6).toFixed(1)} MB. What must come of them: ${String(dir)}/truth/summary.json`,
    );
    return 0;
  },
};

/** Generates with a bar. */
export async function generateWithProgress(context: CommandContext, options: GenerateOptions) {
  const { generateTraffic } = await import('../../generate/generate-traffic.ts');
  const bar = context.messages.progress('Generating', { total: 100 });
  try {
    return await generateTraffic(options, {
      signal: context.signal,
      progress: ({ records, expectedRecords }) =>
        bar.update(Math.min(100, Math.floor((100 * records) / Math.max(1, expectedRecords))), `${records.toLocaleString('en')} records`),
    });
  } finally {
    bar.stop();
  }
}

async function generatorOptions(context: CommandContext, options: Readonly<Record<string, unknown>>): Promise<Omit<GenerateOptions, 'directory'>> {
  const { latestStartDate } = await import('../../generate/options.ts');
  const { events, impressions, seed, start, days, tailDays, campaigns, sites, users, currency, files, compression, avroCodec, rate } = options as {
    readonly events?: number;
    readonly impressions?: number;
    readonly seed: string;
    readonly start?: string;
    readonly days?: number;
    readonly tailDays?: number;
    readonly campaigns?: number;
    readonly sites?: number;
    readonly users?: number;
    readonly currency?: GenerateOptions['currency'];
    readonly files?: number;
    readonly compression?: GenerateOptions['compression'];
    readonly avroCodec?: GenerateOptions['avroCodec'];
    readonly rate: GenerateOptions['rates'];
  };
  return {
    seed,
    startDate: start ?? latestStartDate(context.host.clock(), days, tailDays),
    ...(impressions === undefined || events !== undefined ? { events: events ?? DEFAULT_EVENTS } : {}),
    ...{ impressions, days, tailDays, campaigns, sites, users, currency, compression, avroCodec },
    filesPerFeed: files,
    rates: rate,
  };
}

function parseDays(text: string): number {
  return text === '0' ? 0 : parseCount(text);
}

function collectRate(text: string, rates: Readonly<Record<string, number>>): Record<string, number> {
  const [name = '', value = ''] = text.split('=');
  if (name === '' || value.trim() === '' || !Number.isFinite(Number(value))) {
    throw new AdvertiseXError(
      'usage',
      `--rate ${text} is not a name and a number`,
      'Write for example --rate malformed=0.02; docs/guides/generate.md lists the rates.',
    );
  }
  return { ...rates, [name]: Number(value) };
}
