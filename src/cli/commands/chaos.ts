import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { ChaosResult } from '../../app/chaos/run-chaos.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseCount } from '../option-values.ts';
import { PACKAGED_CONTRACTS } from '../packaged-files.ts';
import { showReconciliation } from './recon.ts';

const DEFAULT_KILLS = 20;
const DEFAULT_RATE = 2_000;
const CONNECTIONS = 12;
const SHOWN_FINDINGS = 20;
/** The command line starts itself in another process, from the sources or from what is built of them: no module imports one above it. */
const PROGRAM = join(import.meta.dirname, '..', `killed-at-step${extname(import.meta.filename)}`);

export const chaos: CommandDefinition = {
  name: 'chaos',
  summary: 'kill `up` again and again under load, and check that nothing is lost',
  description:
    'Starts `up` on data of its own, sends it numbered records of all feeds, and kills it: at random, at the steps of a batch, while it starts and while it stops. Meanwhile senders die half-way, the process is paused, and its log is damaged. Then it reconciles, and looks for every record that was acknowledged: exit 1 where one is missing or there twice, with its number. Never touches data that is there already.',
  examples: ['advertisex chaos', 'advertisex chaos --kills 300 --seed 7', 'advertisex chaos --seconds 60 --rate 5000 --keep --data broken'],
  declare: (command) => {
    command.option('--kills <number>', `ends after so many (default: ${DEFAULT_KILLS})`, parseCount);
    command.option('--seconds <number>', 'ends after so long, if the kills have not come by then', parseCount);
    command.option('--rate <number>', `records a second while a process takes them (default: ${DEFAULT_RATE})`, parseCount);
    command.option('--seed <text>', 'same seed, same traffic and same faults, though not to the millisecond (default: drawn, and printed)');
    command.option('--keep', 'keep the data, which is in a temporary folder unless --data names one');
  },

  run: async (context, _parameters, options): Promise<ExitCode> => {
    const {
      kills = DEFAULT_KILLS,
      seconds,
      rate = DEFAULT_RATE,
      keep = false,
    } = options as {
      readonly kills?: number;
      readonly seconds?: number;
      readonly rate?: number;
      readonly keep?: boolean;
    };
    const seed = (options['seed'] as string | undefined) ?? String(randomInt(2 ** 32));
    const isNamed = options['data'] !== undefined;
    const data = isNamed ? emptyFolder(context.dataDirectory) : mkdtempSync(join(tmpdir(), 'advertisex-chaos-'));
    let isKept = isNamed || keep;
    context.messages.note(`Seed ${seed}. Data: ${data}`);
    const bar = context.messages.progress('Killing', { total: kills });
    try {
      const [{ runChaos }, { planLives }, { loadContracts }] = await Promise.all([
        import('../../app/chaos/run-chaos.ts'),
        import('../../app/chaos/fault-plan.ts'),
        import('../../contracts/load-contract.ts'),
      ]);
      const result = await runChaos({
        ...{ data, seed, kills, seconds },
        lives: planLives(seed),
        program: [PROGRAM],
        contracts: await loadContracts(PACKAGED_CONTRACTS),
        environment: context.host.environment,
        recordsPerSecond: rate,
        connections: CONNECTIONS,
        nowMicros: context.host.clock,
        signal: context.signal,
        onProgress: ({ kills: done, acknowledged }) => bar.update(done, `${acknowledged.toLocaleString('en')} records acknowledged`),
      });
      bar.stop();
      isKept ||= !result.holds;
      await show(context, result, isKept ? data : undefined);
      return result.holds ? 0 : 1;
    } finally {
      bar.stop();
      if (!isKept) rmSync(data, { recursive: true, force: true });
    }
  },
};

function emptyFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  if (readdirSync(path).length === 0) return path;
  throw new AdvertiseXError(
    'usage',
    `${path} is not empty, and chaos only breaks what it made itself`,
    'Name a folder that does not exist yet with --data, or leave it out for a temporary one.',
  );
}

async function show(context: CommandContext, result: ChaosResult, data: string | undefined): Promise<void> {
  const { findings, takenTwice, broken, strange, ...figures } = result;
  if (context.output.format === 'json') {
    const told = findings.map(({ answeredAtMicros, ...finding }) => ({ ...finding, answered_at: timeOf(answeredAtMicros) }));
    const equations = broken.map(({ name, statement, brokenRows }) => ({ name, statement, broken_rows: brokenRows }));
    return context.output.one({ ...figures, findings: told, taken_twice: takenTwice, strange, broken_equations: equations, data: data ?? null }, '');
  }
  await context.output.table({
    columns: [
      { name: 'what', kind: 'text' },
      { name: 'count', kind: 'count' },
    ],
    rows: figuresOf(result),
  });
  if (context.output.format !== 'table') return;
  if (findings.length > 0) {
    await context.output.text(
      `\n${findings.length} records are not as they have to be${findings.length > SHOWN_FINDINGS ? `, the first ${SHOWN_FINDINGS} of them` : ''}:\n`,
    );
    await context.output.table({
      columns: [
        { name: 'finding', kind: 'text' },
        { name: 'number', kind: 'integer' },
        { name: 'feed', kind: 'text' },
        { name: 'answered', kind: 'text' },
        { name: 'process', kind: 'integer' },
      ],
      rows: findings
        .slice(0, SHOWN_FINDINGS)
        .map(({ finding, number, feed, answeredAtMicros, life }) => [finding, number, feed, timeOf(answeredAtMicros), life]),
    });
  }
  for (const { feed, duplicates, sentAgain } of takenTwice) {
    await context.output.text(
      `\n${feed}: ${duplicates} records were taken as duplicates, and ${sentAgain} were sent again: others were read from the log twice.\n`,
    );
  }
  for (const line of strange) await context.output.text(`\n${line}\n`);
  if (broken.length > 0) await showReconciliation(context, broken);
  if (data !== undefined) context.messages.note(`\nThe data is in ${data}.`);
  context.messages.note(
    result.holds
      ? `\nNothing was lost, and nothing is there twice. Seed ${result.seed}.`
      : `\nSomething is wrong. The same again: \`advertisex chaos --seed ${result.seed}\`.`,
  );
}

function figuresOf({ ends, pauses, logFaults, requests, records, findings }: ChaosResult): (readonly [string, number])[] {
  const { stopped, ...kills } = ends;
  return [
    ['kills', Object.values(kills).reduce((sum, number) => sum + number, 0)],
    ['  at a step of a batch', kills['at-step']],
    ['  while it took records', kills.running],
    ['  while it started', kills.starting],
    ['  while it stopped', kills.stopping],
    ['stops in order', stopped],
    ['pauses', pauses],
    ...Object.entries(logFaults).map(([fault, number]) => [`log damaged: ${fault}`, number] as const),
    ['requests sent', requests.sent],
    ['  acknowledged', requests.acknowledged],
    ['  cut by their sender', requests.cut],
    ['  sent again', requests.sentAgain],
    ['records acknowledged', records.acknowledged],
    ['  destroyed in the log, on purpose', records.destroyed],
    ['records not answered', records.unanswered],
    ['  of them in the tables', records.unansweredInTables],
    ['records in the tables', records.inTables],
    ['records in quarantine', records.inQuarantine],
    ['records missing, doubled or half taken', findings.length],
  ];
}

function timeOf(micros: number): string | null {
  return micros === 0 ? null : new Date(micros / 1_000).toISOString();
}
