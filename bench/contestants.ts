import { join } from 'node:path';
import { EVENT_FEEDS } from '../src/domain/feeds.ts';

export const ROOT = join(import.meta.dirname, '..');
const PEERS = join(import.meta.dirname, 'peers');
const INSTALLED = join(ROOT, '.cache/peers');

/** What reads the feeds in `traffic` and leaves its tables in `out`: one whole process after another. */
export interface Contestant {
  readonly name: string;
  readonly does: string;
  readonly commands: (traffic: string, out: string) => readonly (readonly string[])[];
  readonly environment?: Readonly<Record<string, string>>;
  /** How to tell that it can run here, and what to do where it cannot. */
  readonly needs: { readonly path: string; readonly else: string };
}

/** The event feeds, and the reference feeds that their figures need. */
const PRODUCT_INGESTS = ['campaigns', 'creatives', 'currency-rates', ...EVENT_FEEDS] as const;

/** One process, as a client's schedule would have it: all feeds, and the lake at the end. */
export const PRODUCT: Contestant = {
  name: 'advertisex',
  does: 'the whole job: contracts, quarantine, ledger, invalid traffic, five models, all gold tables, lake',
  commands: (traffic, out) => [productIngest(traffic, out)],
  needs: { path: join(ROOT, 'dist/cli/main.js'), else: 'npm run build' },
};

export function productIngest(traffic: string, out: string): string[] {
  const groups = PRODUCT_INGESTS.flatMap((feed) => [feed, feedPath(traffic, feed)]);
  return [process.execPath, join(ROOT, 'bin/advertisex.js'), 'ingest', ...groups, '--data', out, '--quiet'];
}

export function productCompact(data: string): string[] {
  return [process.execPath, join(ROOT, 'bin/advertisex.js'), 'compact', '--data', data, '--quiet'];
}

function feedPath(traffic: string, feed: string): string {
  return (EVENT_FEEDS as readonly string[]).includes(feed) ? join(traffic, feed) : join(traffic, 'reference', `${feed}.csv`);
}

const DUCKDB: Contestant = {
  name: 'duckdb',
  does: 'the smaller job, a hand-written SQL script in one Python process',
  commands: (traffic, out) => [[join(INSTALLED, 'duckdb/bin/python'), join(PEERS, 'duckdb/job.py'), traffic, out]],
  needs: { path: join(INSTALLED, 'duckdb/installed.txt'), else: 'bench/peers/setup.sh' },
};

/** Submitted, so that the JVM is the parent and its time is counted whole. */
const PYSPARK: Contestant = {
  name: 'pyspark',
  does: 'the smaller job, DataFrames on local[2]',
  commands: (traffic, out) => [
    [join(INSTALLED, 'pyspark/bin/spark-submit'), '--properties-file', join(PEERS, 'pyspark/spark-defaults.conf'), join(PEERS, 'pyspark/job.py'), traffic, out],
  ],
  environment: { PYSPARK_PYTHON: join(INSTALLED, 'pyspark/bin/python') },
  needs: { path: join(INSTALLED, 'pyspark/installed.txt'), else: 'bench/peers/setup.sh' },
};

export const PEER_CONTESTANTS: readonly Contestant[] = [DUCKDB, PYSPARK];
