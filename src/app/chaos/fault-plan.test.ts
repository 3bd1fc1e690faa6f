import { expect, it } from 'vitest';
import { type Life, LOG_FAULTS, planLives, STEPS } from './fault-plan.ts';

const livesOf = (seed: string, count: number): Life[] => {
  const plan = planLives(seed);
  return Array.from({ length: count }, () => plan.next().value);
};
const told = (lives: readonly Life[]) => lives.map(({ random: _, ...life }) => life);

it('is the same for the same seed, and another for another', () => {
  expect(told(livesOf('7', 100))).toEqual(told(livesOf('7', 100)));
  expect(told(livesOf('7', 100))).not.toEqual(told(livesOf('8', 100)));
});

it('has every end, every fault of the log and every step of a batch in some hundred lives', () => {
  const lives = livesOf('1', 400);
  expect(new Set(lives.map(({ end }) => end.how))).toEqual(new Set(['at-step', 'running', 'starting', 'stopping', 'stopped']));
  expect(new Set(lives.map(({ logFault }) => logFault))).toEqual(new Set([undefined, ...LOG_FAULTS]));
  expect(new Set(lives.flatMap(({ end }) => (end.how === 'at-step' ? [end.step] : [])))).toEqual(new Set(STEPS));
  expect(lives.some(({ pauses }) => pauses.length > 0)).toBe(true);
  expect(lives[0]?.logFault).toBe(undefined);
});
