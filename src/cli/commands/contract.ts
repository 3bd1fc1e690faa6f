import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Contract } from '../../contracts/contract.ts';
import type { ContractChange } from '../../contracts/diff-contracts.ts';
import type { Feed } from '../../domain/feeds.ts';
import type { CommandDefinition } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { type FeedSubject, parseSubject } from '../option-values.ts';
import { contractsFolder } from '../with-instance.ts';
import { checkAgainstRegistry } from './contract-registry.ts';

export const contractCheck: CommandDefinition = {
  name: 'contract check',
  summary: 'whether contracts are valid; exit 1 with every fault and its line',
  description:
    'Checks every contract of a folder against the Open Data Contract Standard and the rules of AdvertiseX, and puts its examples through the check that it compiles to. With --registry also whether the Avro schemas registered for their topics can be read by them: exit 1 with what breaks.',
  examples: [
    'advertisex contract check',
    'advertisex contract check contracts --format json',
    'advertisex contract check --registry --subject bid-requests=bids-value',
  ],
  declare: (command) => {
    command
      .argument('[dir]', 'folder of contracts (default: the ones in use)')
      .option('--registry', 'compare them with the latest schemas of the registry (registry.url)')
      .option(
        '--subject <feed=subject>',
        'where the schema of a feed is registered, again and again (default: <feed>-value, of feeds of events)',
        parseSubject,
      );
  },

  async run(context, [dir], options) {
    const folder = dir === undefined ? contractsFolder(context) : context.path(String(dir));
    const { checkContracts } = await import('../../contracts/check-contracts.ts');
    const report = await checkContracts(folder);
    if (options['registry'] === true && report.valid) return checkAgainstRegistry(context, report, (options['subject'] ?? []) as readonly FeedSubject[]);
    await context.output.one(report, {
      columns: [
        { name: 'contract', kind: 'text' },
        { name: 'version', kind: 'text' },
        { name: 'fields', kind: 'count' },
        { name: 'examples', kind: 'count' },
        { name: 'faults', kind: 'count' },
      ],
      rows: report.contracts.map(({ path, feed, version, fields, examples, faults }) => [
        feed ?? shown(context, path),
        version ?? null,
        fields,
        examples,
        faults.length,
      ]),
    });
    if (context.output.format === 'table') {
      const faults = [...report.contracts.flatMap((contract) => contract.faults), ...report.faults];
      if (faults.length > 0) await context.output.text('\n');
      for (const { path, line, place, message } of faults)
        await context.output.text(`${shown(context, path)}:${line}: ${place === '' ? '' : `${place}: `}${message}\n`);
    }
    return report.valid ? 0 : 1;
  },
};

export const contractDiff: CommandDefinition = {
  name: 'contract diff',
  summary: 'what a change of contracts breaks; exit 1 if it breaks someone',
  description:
    'Compares two contracts, or two folders of them, and says for each difference whether it breaks those who read the tables or those who send records. Exits with 1 when one does.',
  examples: ['advertisex contract diff contracts-of-last-month', 'advertisex contract diff old/users.odcs.yaml contracts/users.odcs.yaml'],
  declare: (command) => {
    command.argument('<before>', 'contract file or folder');
    command.argument('[after]', 'contract file or folder (default: the ones in use)');
  },

  async run(context, [before, after]) {
    const { diffContracts } = await import('../../contracts/diff-contracts.ts');
    const earlier = await readContracts(context.path(String(before)));
    const later = await readContracts(after === undefined ? contractsFolder(context) : context.path(String(after)));
    const changes: ({ readonly feed: string } & ContractChange)[] = [];
    const pair = earlier.size === 1 && later.size === 1 ? [...later.values()][0] : undefined;
    for (const [feed, contract] of earlier) {
      const successor = later.get(feed) ?? pair;
      if (successor !== undefined) changes.push(...diffContracts(contract, successor).map((change) => ({ feed, ...change })));
    }
    await context.output.one(changes, {
      columns: [
        { name: 'feed', kind: 'text' },
        { name: 'field', kind: 'text' },
        { name: 'breaks', kind: 'text' },
        { name: 'change', kind: 'text' },
      ],
      rows: changes.map(({ feed, field, breaksReaders, breaksWriters, message }) => [feed, field, breaks(breaksReaders, breaksWriters), message]),
    });
    if (changes.length === 0) context.messages.note('Both accept and store the same.');
    return changes.some(({ breaksReaders, breaksWriters }) => breaksReaders || breaksWriters) ? 1 : 0;
  },
};

async function readContracts(path: string): Promise<ReadonlyMap<Feed, Contract>> {
  const { loadContract, loadContracts } = await import('../../contracts/load-contract.ts');
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return loadContracts(path);
  const contract = await loadContract(path);
  return new Map([[contract.feed, contract]]);
}

function breaks(readers: boolean, writers: boolean): string {
  if (readers && writers) return 'readers, writers';
  return readers ? 'readers' : writers ? 'writers' : 'nobody';
}

function shown(context: CommandContext, path: string): string {
  const here = relative(context.host.workingDirectory, path);
  return here.startsWith('..') ? path : here;
}
