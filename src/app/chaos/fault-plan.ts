import { DERIVE_STEPS, IDENTIFY_STEPS, QUARANTINE_STEPS, REFERENCE_STEPS } from '../../batches/steps.ts';
import { RandomStream } from '../../generate/random-stream.ts';

/** How the life of a process ends. */
export type LifeEnd =
  /** By itself, before the so manieth step of this name; where that never comes, from outside after a while. */
  | { readonly how: 'at-step'; readonly step: string; readonly occurrence: number }
  | { readonly how: 'running'; readonly afterMillis: number }
  /** Before it takes anything, unless it is quicker. */
  | { readonly how: 'starting'; readonly afterMillis: number }
  /** While it stops in order. */
  | { readonly how: 'stopping'; readonly afterMillis: number }
  /** In order: no kill. */
  | { readonly how: 'stopped'; readonly afterMillis: number };

/**
 * What happens to the log while no process runs:
 * - `torn`, `stale`, `zeros`, `noise`: behind the last entry stands the beginning of one, an older one, zeros, or anything.
 * - `committed`: a bit of an entry that the tables have, or of a segment's head, is another one.
 * - `unread`: a bit of an entry that the tables do not have yet. What it held is lost, and nothing else may be.
 */
export const LOG_FAULTS = ['torn', 'stale', 'zeros', 'noise', 'committed', 'unread'] as const;
export type LogFault = (typeof LOG_FAULTS)[number];

/** One process, from its start to its end. */
export interface Life {
  readonly logFault: LogFault | undefined;
  readonly end: LifeEnd;
  /** Stopped and continued by the system, as under a debugger or on a machine that is suspended. */
  readonly pauses: readonly { readonly afterMillis: number; readonly forMillis: number }[];
  /** For what is decided about this life only when it is there. */
  readonly random: RandomStream;
}

export const STEPS: readonly string[] = [
  'begin',
  ...[...IDENTIFY_STEPS, ...REFERENCE_STEPS, ...DERIVE_STEPS, ...QUARANTINE_STEPS].map(({ model }) => model),
  'books',
  'commit',
  'committed',
];
/** Where most can go wrong. */
const COMMITTING = ['books', 'commit', 'committed', 'begin'];

/** Lives without end. The same seed gives the same ones. Every step has its turn before one comes again. */
export function* planLives(seed: string): Generator<Life, never> {
  let steps: string[] = [];
  for (let life = 0; ; life++) {
    const random = new RandomStream(seed, `life ${life}`);
    const end = endOf(random, () => {
      if (random.chance(0.3)) return random.pick(COMMITTING);
      if (steps.length === 0) steps = shuffle(STEPS, random);
      return steps.pop() as string;
    });
    const pauses =
      end.how !== 'starting' && random.chance(0.25) ? [{ afterMillis: random.below(400), forMillis: Math.floor(random.logUniform(20, 1_200)) }] : [];
    yield { logFault: life > 0 && random.chance(0.4) ? random.pick(LOG_FAULTS) : undefined, end, pauses, random };
  }
}

function endOf(random: RandomStream, nextStep: () => string): LifeEnd {
  const share = random.below(100);
  if (share < 48) return { how: 'at-step', step: nextStep(), occurrence: 1 + random.below(4) };
  if (share < 77) return { how: 'running', afterMillis: Math.floor(random.logUniform(1, 1_500)) };
  if (share < 87) return { how: 'starting', afterMillis: random.below(1_200) };
  if (share < 95) return { how: 'stopping', afterMillis: Math.floor(random.logUniform(1, 600)) };
  return { how: 'stopped', afterMillis: random.below(1_500) };
}

function shuffle(items: readonly string[], random: RandomStream): string[] {
  return items
    .map((item) => ({ item, at: random.fraction() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
