/** The benchmark: `npm run bench -- --help`. Method and results are in bench/README.md. */
import { parseArgs } from 'node:util';
import { measureFreshness } from './freshness.ts';
import { measureGrowth } from './growth.ts';
import { measureLiveRate } from './live-rate.ts';
import { measureMemory } from './memory.ts';
import { CHAPTERS, type Chapter, type Results, record } from './results-file.ts';
import { writeResultsTable } from './results-table.ts';
import { raceThroughput } from './throughput.ts';

const HELP = `npm run bench -- [--only throughput|growth|memory|freshness|live-rate]… [--rounds N] [--impressions N] [--quick] [--peers-only]

  --only         a chapter alone; may be given several times (default: all)
  --rounds       how often each contestant runs (default 3)
  --impressions  of the race (default 1,000,000; clicks, conversions and bid requests come on top)
  --quick        small sizes, to see that everything runs: nothing is recorded
  --peers-only   the peers against each other: nothing is recorded

Install the peers first: bench/peers/setup.sh`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [...CHAPTERS] },
    rounds: { type: 'string' },
    impressions: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'peers-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 1 : 3));
const chapters: { readonly [C in Chapter]: () => Promise<Results[C]> } = {
  throughput: () => raceThroughput({ impressions: Number(values.impressions ?? (quick ? 20_000 : 1_000_000)), rounds, peersOnly: values['peers-only'] }),
  growth: () =>
    measureGrowth(quick ? { impressionsADay: 20_000, days: [1, 3], batches: 5, rounds } : { impressionsADay: 478_500, days: [1, 30], batches: 30, rounds }),
  memory: () => (quick ? measureMemory(50_000, 2) : measureMemory(4_785_000, 10)),
  freshness: () =>
    measureFreshness(
      quick
        ? {
            rate: 2_000,
            seconds: 3,
            eventsARequest: 100,
            history: { impressionsADay: 20_000, days: 3 },
            backfill: { rate: 1_000, seconds: 3, impressions: 20_000 },
          }
        : {
            rate: 20_000,
            seconds: 300,
            eventsARequest: 100,
            history: { impressionsADay: 478_500, days: 30 },
            backfill: { rate: 4_000, seconds: 60, impressions: 480_000 },
          },
    ),
  'live-rate': () => measureLiveRate({ seconds: quick ? 2 : 20, rounds }),
};

if (values.help) console.log(HELP);
else {
  const chosen = CHAPTERS.filter((chapter) => values.only.includes(chapter) && (chapter === 'throughput' || !values['peers-only']));
  if (chosen.length === 0) throw new Error(HELP);
  for (const chapter of chosen) await run(chapter);
  if (!quick && !values['peers-only']) console.log(await writeResultsTable());
}

async function run<C extends Chapter>(chapter: C): Promise<void> {
  if (quick || values['peers-only']) console.log(JSON.stringify(await chapters[chapter](), undefined, 2));
  else await record(chapter, chapters[chapter]);
}
