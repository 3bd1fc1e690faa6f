import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Agreement, compareHours, type Tally, tallyPeer, tallyProduct } from './check-agreement.ts';
import { type Contestant, PEER_CONTESTANTS, PRODUCT } from './contestants.ts';
import { type Measurement, measureProcesses } from './measure-processes.ts';
import { median } from './medians.ts';
import { CACHE, raceTraffic } from './traffic.ts';

export interface ContestantResult extends Measurement {
  readonly name: string;
  readonly does: string;
  readonly rounds: readonly Measurement[];
  readonly eventsPerSecond: number;
  readonly tally: Tally;
}

export interface ThroughputResult {
  readonly impressions: number;
  readonly records: number;
  readonly bytes: number;
  readonly contestants: readonly ContestantResult[];
  readonly peersAgreement: Agreement;
  /** How many times as fast as each peer the product is: the median over rounds of the ratio in a round. */
  readonly ratios: readonly { readonly peer: string; readonly wall: number; readonly cpu: number }[];
}

export interface RaceOptions {
  readonly impressions: number;
  readonly rounds: number;
  readonly peersOnly: boolean;
}

/** Product and peers in turn, A B C A B C …, so that whatever else the machine does falls on all alike. */
export async function raceThroughput({ impressions, rounds, peersOnly }: RaceOptions): Promise<ThroughputResult> {
  const contestants = peersOnly ? PEER_CONTESTANTS : [PRODUCT, ...PEER_CONTESTANTS];
  for (const { name, needs } of contestants) if (!existsSync(needs.path)) throw new Error(`${name} is not ready: run ${needs.else} first`);
  const traffic = await raceTraffic(impressions);
  const measured = new Map<Contestant, Measurement[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of contestants) {
      const out = outputOf(contestant);
      await rm(out, { recursive: true, force: true });
      await mkdir(out, { recursive: true });
      const one = await measureProcesses(contestant.commands(traffic.directory, out), contestant.environment);
      measured.get(contestant)!.push(one);
      console.error(`round ${round} of ${rounds}: ${contestant.name} ${one.wallSeconds.toFixed(1)} s, CPU ${one.cpuSeconds.toFixed(1)} s`);
    }
  }
  const results: ContestantResult[] = [];
  for (const [contestant, list] of measured) {
    const middle = medianOf(list);
    results.push({
      name: contestant.name,
      does: contestant.does,
      ...middle,
      rounds: list,
      eventsPerSecond: traffic.records / middle.wallSeconds,
      tally: contestant === PRODUCT ? await tallyProduct(outputOf(contestant)) : await tallyPeer(outputOf(contestant)),
    });
  }
  const peersAgreement = await requireAgreement(results);
  const product = measured.get(PRODUCT);
  return {
    impressions,
    records: traffic.records,
    bytes: traffic.bytes,
    contestants: results,
    peersAgreement,
    ratios: product === undefined ? [] : PEER_CONTESTANTS.map((peer) => ({ peer: peer.name, ...ratiosOf(product, measured.get(peer)!) })),
  };
}

function outputOf({ name }: Contestant): string {
  return join(CACHE, 'out', name);
}

function medianOf(list: readonly Measurement[]): Measurement {
  return {
    wallSeconds: median(list.map((one) => one.wallSeconds)),
    cpuSeconds: median(list.map((one) => one.cpuSeconds)),
    peakRssBytes: median(list.map((one) => one.peakRssBytes)),
  };
}

function ratiosOf(product: readonly Measurement[], peer: readonly Measurement[]): { wall: number; cpu: number } {
  return {
    wall: median(product.map((one, round) => peer[round]!.wallSeconds / one.wallSeconds)),
    cpu: median(product.map((one, round) => peer[round]!.cpuSeconds / one.cpuSeconds)),
  };
}

/**
 * A race between programs that do different things says nothing. The peers must give the same figures, campaign by campaign and
 * hour by hour, but for one hour in a hundred: their readers differ over a few broken rows (a comma too many, bytes that are no
 * text). The product refuses some records that they let pass (a bad id, an unknown currency), and gives invalid touches no credit: together no more than one in fifty.
 */
async function requireAgreement(results: readonly ContestantResult[]): Promise<Agreement> {
  const [one, other] = PEER_CONTESTANTS;
  const agreement = await compareHours(outputOf(one!), outputOf(other!));
  if (agreement.differing > Math.max(3, agreement.campaignHours / 100)) {
    throw new Error(
      `${one!.name} and ${other!.name} differ in ${agreement.differing} of ${agreement.campaignHours} campaign hours:\n${agreement.examples.join('\n')}`,
    );
  }
  const product = results.find((result) => result.name === PRODUCT.name);
  const peer = results.find((result) => result.name === one!.name)!;
  for (const [measure, mine] of Object.entries(product?.tally ?? {}) as [keyof Tally, number][]) {
    const theirs = peer.tally[measure];
    if (Math.abs(mine - theirs) > theirs / 50 + 3) throw new Error(`${PRODUCT.name} has ${mine} ${measure}, ${peer.name} ${theirs}`);
  }
  return agreement;
}
