import { Argument, InvalidArgumentError, Option } from 'commander';
import type { ProduceSummary } from '../../app/produce/produce-files.ts';
import type { Contract } from '../../contracts/contract.ts';
import { ENCODINGS, type Encoding, FEEDS, type Feed } from '../../domain/feeds.ts';
import type { CommandDefinition } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseCount, parseDelimiter } from '../option-values.ts';
import { loadInstanceContracts } from '../with-instance.ts';

const COLUMNS = ['contract', 'file'];

export const produce: CommandDefinition = {
  name: 'produce',
  summary: 'send the records of files to a Kafka topic, one message each',
  description:
    'Sends each record of files to a topic of Kafka, as it stands in the file: a JSON object, a row of CSV without its header, an Avro record in the wire format of schema registries. Records of a user go to one partition, in their order, and each is acknowledged by all replicas. What breaks its contract is sent like the rest: whoever receives it refuses it. A run that was stopped begins again from the first record.',
  examples: [
    'advertisex produce ad-impressions logs/2026-03-01',
    `advertisex produce clicks-conversions 'exports/*.csv.gz' --delimiter ';' --rate 5000`,
    'advertisex produce ad-impressions day.jsonl --topic impressions-test --partitions 8',
  ],
  declare: (command) => {
    command.addArgument(new Argument('<feed>', 'what the files hold').choices(FEEDS));
    command.argument('<path...>', 'files, folders or patterns; plain, gzip or zstd');
    command.option('--topic <name>', 'to send to (default: called as the feed)', parseTopic);
    command.addOption(new Option('--partitions <number>', 'make the topic with so many where there is none').argParser(parseCount));
    command.addOption(new Option('--rate <records>', 'a second, at most (default: as fast as it goes)').argParser(parseCount));
    command.addOption(new Option('--encoding <encoding>', 'of the files (default: told from each file)').choices(ENCODINGS));
    command.option('--delimiter <character>', 'between the cells of CSV files (default: ,)', parseDelimiter);
    command.addOption(
      new Option('--columns <order>', "of CSV messages: the contract's fields in its order, or the columns of the file").choices(COLUMNS).default('contract'),
    );
  },

  run: async (context, [name, paths], options) => {
    const feed = name as Feed;
    const settings = context.settings();
    const { produceFiles } = await import('../../app/produce/produce-files.ts');
    const contracts = await loadInstanceContracts(context);
    const bar = context.messages.progress('Sending', { total: 100 });
    try {
      const summary = await produceFiles(
        {
          feed,
          contract: contracts.get(feed) as Contract,
          paths: (paths as readonly string[]).map((path) => context.path(path)),
          topic: (options.topic as string | undefined) ?? feed,
          partitions: options.partitions as number | undefined,
          rate: options.rate as number | undefined,
          encoding: options.encoding as Encoding | undefined,
          delimiter: options.delimiter as string | undefined,
          columns: options.columns as 'contract' | 'file',
          settings,
          environment: context.host.environment,
        },
        context.signal,
        ({ bytesRead, bytesTotal, sent }) =>
          bar.update(bytesTotal === 0 ? 0 : Math.floor((100 * bytesRead) / bytesTotal), `${sent.toLocaleString('en')} records sent`),
      );
      bar.stop();
      await showProduced(context, summary);
      return 0;
    } finally {
      bar.stop();
    }
  },
};

async function showProduced(context: CommandContext, summary: ProduceSummary): Promise<void> {
  const { files, topic, partitions, sent, leftOut, seconds } = summary;
  const rows = files.map((file) => [file.path, file.complete ? 'sent' : 'damaged', file.sent, file.leftOut]);
  if (rows.length > 1 && context.output.format === 'table') rows.push([`${rows.length} files`, '', sent, leftOut]);
  await context.output.one(summary, {
    columns: [
      { name: 'file', kind: 'text' },
      { name: 'state', kind: 'text' },
      { name: 'sent', kind: 'count' },
      { name: 'left out', kind: 'count' },
    ],
    rows,
  });
  const rate = Math.round(sent / Math.max(seconds, 0.001));
  context.messages.note(`${sent.toLocaleString('en')} records are in ${topic} (${partitions} partitions), ${rate.toLocaleString('en')} a second.`);
  if (leftOut > 0)
    context.messages.warn(`${leftOut.toLocaleString('en')} Avro records do not decode and cannot be sent: \`advertisex ingest\` keeps them in quarantine.`);
  if (files.some(({ complete }) => !complete)) context.messages.warn('A damaged file was sent up to the damage.');
}

/** As Kafka allows it. */
function parseTopic(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(text) || text === '.' || text === '..')
    throw new InvalidArgumentError('Expected a name of up to 249 letters, digits, dots, underscores and hyphens.');
  return text;
}
