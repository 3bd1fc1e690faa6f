import { rm, stat } from 'node:fs/promises';
import type { Batch } from '../batches/batch.ts';
import { type Cutoff, EXPIRING, type ExpiredRows, type Expiring, expireRows, expiringRows } from '../batches/expire-rows.ts';
import { dayFolder, listRawDays, listRawFiles } from '../collector/archive/raw-files.ts';
import { retainedDays } from '../config/retention.ts';
import { formatDay, MICROS_PER_SECOND, SECONDS_PER_DAY } from '../domain/calendar.ts';
import { interrupted } from '../domain/errors.ts';
import { createReportDate } from '../domain/timestamp.ts';
import { ZoneClock } from '../domain/zone-clock.ts';
import type { Instance } from './instance.ts';

/** What went of a table, or would go. */
export interface ExpiredTable {
  readonly table: Expiring | 'raw';
  /** Days before this one. */
  readonly before: string;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly days: number;
  /** Of the raw archive: files. */
  readonly rows: number;
  /** Of the raw archive. */
  readonly bytes?: number;
}

/** What is older than the settings keep it. */
export async function plannedExpiry(instance: Instance): Promise<ExpiredTable[]> {
  return (await lookForOld(instance, instance.nowMicros())).tables;
}

/**
 * Removes what is older than the settings keep it, a day at a time, so that no batch waits for long. Says what
 * went. The lake follows with its next export. Once the signal is aborted it ends between two days.
 */
export async function expire(instance: Instance, signal?: AbortSignal): Promise<ExpiredTable[]> {
  const { engine, batches, directory } = instance;
  const batch: Batch = { cause: 'retention', chunks: [], files: [], stagingDirectory: directory.staging, readRaw: async () => [] };
  // Midnight may come meanwhile: what went is what was found to be old.
  const now = instance.nowMicros();
  const { rows, tables: gone } = await batches.alone(() => lookForOld(instance, now));
  const due = Map.groupBy(rows, ({ day }) => day);
  for (const [day, tables] of [...due].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (signal?.aborted) throw interrupted();
    const next = nextDay(instance, day);
    await batches.applyBy(batch, () => expireRows(instance, new Map(tables.map(({ table }) => [table, next]))));
  }
  // A checkpoint is what gives the space back.
  if (due.size > 0) await batches.alone(() => engine.settle('some'));
  await removeRawDays(instance, now);
  return gone;
}

interface OldRows {
  readonly rows: readonly ExpiredRows[];
  /** The same by table, and the raw archive. */
  readonly tables: ExpiredTable[];
}

async function lookForOld(instance: Instance, now: number): Promise<OldRows> {
  await instance.engine.setVariables({ asOf: null });
  const cutoffs = cutoffsOf(instance, now);
  const rows = await expiringRows(instance.engine, cutoffs);
  const tables = [...Map.groupBy(rows, ({ table }) => table)].map(([table, days]) => summed(table, (cutoffs.get(table) as Cutoff).day, days));
  const raw = await oldRawFiles(instance, now);
  return { rows, tables: raw === undefined ? tables : [...tables, raw] };
}

/** The first day that is kept of each table that is not kept for ever. */
function cutoffsOf({ settings }: Instance, now: number): Map<Expiring, Cutoff> {
  const zone = settings.instance.reporting_time_zone;
  const today = createReportDate(zone)(now);
  const cutoffs = new Map<Expiring, Cutoff>();
  for (const table of EXPIRING) {
    const days = retainedDays(settings, table);
    if (days !== undefined) cutoffs.set(table, cutoffAt(zone, today - days));
  }
  return cutoffs;
}

function nextDay({ settings }: Instance, day: string): Cutoff {
  return cutoffAt(settings.instance.reporting_time_zone, Date.parse(`${day}T00:00:00Z`) / (SECONDS_PER_DAY * 1_000) + 1);
}

function cutoffAt(zone: string, day: number): Cutoff {
  const midnight = day * SECONDS_PER_DAY;
  return { day: formatDay(day), atMicros: (midnight - new ZoneClock(zone).offsetOfWallTime(midnight)) * MICROS_PER_SECOND };
}

function summed(table: ExpiredTable['table'], before: string, days: readonly { readonly day: string; readonly rows: number }[]): ExpiredTable {
  const names = days.map(({ day }) => day).sort();
  return {
    table,
    before,
    firstDay: names[0] as string,
    lastDay: names.at(-1) as string,
    days: new Set(names).size,
    rows: days.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** The first day of receipt (UTC) of which the raw archive is kept. */
function rawCutoff({ settings }: Instance, now: number): string | undefined {
  const days = retainedDays(settings, 'raw');
  return days === undefined ? undefined : formatDay(createReportDate('UTC')(now) - days);
}

async function oldRawFiles(instance: Instance, now: number): Promise<ExpiredTable | undefined> {
  const before = rawCutoff(instance, now);
  if (before === undefined) return undefined;
  const old = (await listRawFiles(instance.directory.raw)).files.filter(({ day }) => day < before);
  if (old.length === 0) return undefined;
  let bytes = 0;
  for (const { path } of old) bytes += (await stat(path)).size;
  return {
    ...summed(
      'raw',
      before,
      old.map(({ day }) => ({ day, rows: 1 })),
    ),
    bytes,
  };
}

async function removeRawDays(instance: Instance, now: number): Promise<void> {
  const before = rawCutoff(instance, now);
  if (before === undefined) return;
  const { raw } = instance.directory;
  for (const { feed, day } of await listRawDays(raw)) if (day < before) await rm(dayFolder(raw, feed, day), { recursive: true, force: true });
}
