/**
 * What identity and staging cost a value: `node bench/staging.ts`. Each figure is the best of five rounds, in nanoseconds.
 * The last part writes a full segment and has DuckDB read it back.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { KeyHasher } from '../src/domain/murmur3.ts';
import { MAX_SEGMENT_ROWS } from '../src/staging/column-builder.ts';
import { SegmentWriter, type StagedColumn } from '../src/staging/segment-writer.ts';

const ROUNDS = 5;
const chunk = Buffer.from(Array.from({ length: 4096 }, (_, i) => `user-${String(i).padStart(11, '0')}`).join(''));
const textAt = (row: number): number => (row & 4095) * 16;

function best(what: string, perRound: number, round: () => void): number {
  let nanoseconds = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint();
    round();
    nanoseconds = Math.min(nanoseconds, Number(process.hrtime.bigint() - start) / perRound);
  }
  console.log(`${what.padEnd(52)} ${nanoseconds.toFixed(1).padStart(8)} ns`);
  return nanoseconds;
}

const hasher = new KeyHasher();
let sum = 0;
best('hash of one part of 59 bytes', 1e6, () => {
  for (let i = 0; i < 1e6; i++) {
    const at = textAt(i & 2047);
    hasher.begin();
    hasher.text(chunk, at, at + 59);
    hasher.finish();
    sum ^= hasher.h1;
  }
});
best('key of an impression without an id (7 parts, 78 B)', 1e6, () => {
  for (let i = 0; i < 1e6; i++) {
    const at = textAt(i & 2047);
    hasher.begin();
    hasher.ascii('impression');
    hasher.ascii('natural');
    hasher.text(chunk, at, at + 12);
    hasher.text(chunk, at + 12, at + 22);
    hasher.number(1.7e15 + i);
    hasher.text(chunk, at + 22, at + 38);
    hasher.finish();
    sum ^= hasher.h1;
  }
});

const columns: readonly StagedColumn[] = [
  { name: 'event_key', type: 'key' },
  { name: 'event_time', type: 'timestamp' },
  { name: 'user_id', type: 'utf8' },
  { name: 'campaign_id', type: 'utf8', nullable: true },
  { name: 'price_cpm_micros', type: 'int64', nullable: true },
  { name: 'viewable', type: 'boolean', nullable: true },
  { name: 'report_date', type: 'date' },
  { name: 'source', type: 'utf8', inRuns: true },
];
const perColumn: Readonly<Record<string, (writer: SegmentWriter) => (row: number) => void>> = {
  'append a key': (writer) => {
    const column = writer.column('event_key');
    return (row) => column.appendKey(row, row * 3, row * 5, row * 7);
  },
  'append a timestamp': (writer) => {
    const column = writer.column('event_time');
    return (row) => column.appendNumber(1.7e15 + row);
  },
  'append 16 bytes of text': (writer) => {
    const column = writer.column('user_id');
    return (row) => column.appendText(chunk, textAt(row), textAt(row) + 16);
  },
  'append 12 bytes of text, every 8th null': (writer) => {
    const column = writer.column('campaign_id');
    return (row) => ((row & 7) === 0 ? column.appendNull() : column.appendText(chunk, textAt(row), textAt(row) + 12));
  },
  'append a price, every 8th null': (writer) => {
    const column = writer.column('price_cpm_micros');
    return (row) => ((row & 7) === 0 ? column.appendNull() : column.appendNumber(row * 17));
  },
  'append a boolean': (writer) => {
    const column = writer.column('viewable');
    return (row) => column.appendNumber(row & 1);
  },
  'append a date': (writer) => {
    const column = writer.column('report_date');
    return (row) => column.appendNumber(19_000 + (row & 3));
  },
};

const writer = new SegmentWriter(columns);
const appends = Object.entries(perColumn).map(([what, make]) => ({ what, append: make(writer) }));
for (const { what, append } of appends) {
  best(what, MAX_SEGMENT_ROWS, () => {
    writer.reset();
    for (let row = 0; row < MAX_SEGMENT_ROWS; row++) append(row);
  });
}

const folder = mkdtempSync(join(tmpdir(), 'advertisex-bench-'));
writer.reset();
writer.startTextRun('source', 'ad-impressions/part-0.jsonl.gz');
for (let row = 0; row < MAX_SEGMENT_ROWS; row++) for (const { append } of appends) append(row);
let written = { rows: 0, bytes: 0 };
const paths = Array.from({ length: 8 * ROUNDS }, (_, i) => join(folder, `${i}.parquet`));
let next = 0;
best('write a segment, per row', 8 * MAX_SEGMENT_ROWS, () => {
  for (let i = 0; i < 8; i++) written = writer.writeTo(paths[next++] as string);
});
console.log(`a segment: ${written.rows} rows of ${columns.length} columns, ${(written.bytes / 1e6).toFixed(1)} MB`);

const instance = await DuckDBInstance.create(':memory:');
const duckdb = await instance.connect();
const all = columns.map(({ name }) => `max(${name})`).join(', ');
for (const threads of [1, 2]) {
  await duckdb.run(`SET threads = ${threads}`);
  let seconds = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    // Other files each time: DuckDB keeps what it has read.
    const files = paths.slice(8 * round, 8 * round + 8).map((path) => `'${path}'`);
    const start = performance.now();
    await duckdb.runAndReadAll(`SELECT ${all} FROM read_parquet([${files.join(', ')}])`);
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  console.log(`DuckDB reads 8 segments, all columns, ${threads} thread(s): ${((8 * MAX_SEGMENT_ROWS) / seconds / 1e6).toFixed(1)} M rows/s`);
}
duckdb.closeSync();
instance.closeSync();
rmSync(folder, { recursive: true });
if (sum === 0.5) console.log('never');
