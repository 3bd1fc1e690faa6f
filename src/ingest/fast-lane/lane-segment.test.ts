import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { expect, it } from 'vitest';
import { loadContracts } from '../../contracts/load-contract.ts';
import type { RowSegment } from '../../staging/column-builder.ts';
import { segmentColumns } from '../../staging/segment-columns.ts';
import { SegmentWriter } from '../../staging/segment-writer.ts';
import { stagedEventTable } from '../../staging/staged-tables.ts';
import { KernelMemory, startKernel } from './kernel-memory.ts';
import { LaneSegment } from './lane-segment.ts';

const TABLE = stagedEventTable('impression', await loadContracts(join(import.meta.dirname, '../../../contracts')));
const COLUMNS = segmentColumns(TABLE).filter(({ inRuns }) => !inRuns);

// Lengths around the steps in which texts are copied and compared; the longest is what a record may hold.
const LENGTHS = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 95, 96, 97, 5_000, 70_000];
const TEXTS = [...LENGTHS.map((length) => 'x'.repeat(length)), '\0', 'żółć', '😀', '日本'.repeat(30)];
const NUMBERS = [0, -0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 1_773_480_413_589_793, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
const WORDS = [0, -1, 1, 0x7fffffff, -0x80000000, 0x12345678];

it('takes any row as a segment of the general way does', async () => {
  const kernel = startKernel({ isBot: () => 0, findDay: () => undefined, findRate: () => 0 });
  const lane = new LaneSegment(TABLE, kernel, new KernelMemory(kernel));
  const general = new SegmentWriter(segmentColumns(TABLE));
  // The second time in memory that has been used: nothing may be left of what stood there.
  for (const rows of [6_000, 9]) {
    lane.startRuns('day.json', 5);
    general.startTextRun('source', 'day.json');
    general.startNumberRun('received_at', 5);
    for (const segment of [lane, general]) for (let row = 0; row < rows; row++) appendRow(segment, row, row === 4_500 ? 1_000_000 : 0);
    expect(lane.rows).toBe(rows);
    expect(await written(lane)).toEqual(await written(general));
    lane.reset();
    general.reset();
  }
}, 60_000);

/** Every value stands beside others from row to row; some columns have few texts, some have one a row. */
function appendRow(segment: RowSegment, row: number, textBytes: number): void {
  for (const [index, { name, type, nullable }] of COLUMNS.entries()) {
    const column = segment.column(name);
    const step = row * (index + 1) + index;
    if (nullable && step % 7 === 0) column.appendNull();
    else if (type === 'key') column.appendKey(word(step), word(step + 1), word(step + 2), word(row));
    else if (type === 'hash') column.appendHash(word(step), word(row));
    else if (type === 'date') column.appendNumber((step % 40_000) - 20_000);
    else if (type === 'boolean' && row % 2 === 0) column.appendNumber(step % 3 === 0 ? 1 : 0);
    else if (type === 'boolean') column.appendBoolean(step % 5 === 0);
    else if (type === 'utf8') {
      // Longer texts come seldom.
      const text = textBytes > 0 ? 'y'.repeat(textBytes) : (TEXTS[step % (row % 500 === 0 ? TEXTS.length : 14)] as string);
      const bytes = Buffer.from(`before${text}${index % 2 === 0 ? row : ''}behind`);
      column.appendText(bytes, 6, bytes.length - 6);
    } else column.appendNumber(NUMBERS[step % NUMBERS.length] as number);
  }
  segment.endRow?.();
}

function word(index: number): number {
  return WORDS[index % WORDS.length] as number;
}

async function written(segment: LaneSegment | SegmentWriter): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'advertisex-lane-segment-'));
  const path = join(directory, 'a.parquet');
  segment.writeTo(path);
  const file = await asyncBufferFromFile(path);
  const { row_groups } = await parquetMetadataAsync(file);
  const statistics = row_groups.map(({ columns }) => columns.map(({ meta_data }) => meta_data?.statistics));
  const rows = await parquetReadObjects({ file });
  rmSync(directory, { recursive: true });
  return { statistics, rows };
}
