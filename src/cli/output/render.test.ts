import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellKind, CellValue, ResultTable } from '../../domain/result-table.ts';
import { formatForPeople, formatForPrograms } from '../../rendering/format-cell.ts';
import { renderCsv } from '../../rendering/render-csv.ts';
import { renderJson, renderJsonRows } from '../../rendering/render-json.ts';
import { renderTable } from './render-table.ts';
import { textWidth } from './text-width.ts';

async function join(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

function table(kinds: Readonly<Record<string, CellKind>>, rows: readonly (readonly CellValue[])[]): ResultTable {
  return { columns: Object.entries(kinds).map(([name, kind]) => ({ name, kind })), rows };
}

const plain = { heading: (text: string) => text };

describe('a cell', () => {
  it.each<[CellValue, CellKind, string]>([
    [null, 'count', '–'],
    [1234567n, 'count', '1,234,567'],
    [-1234, 'count', '-1,234'],
    [1234567n, 'integer', '1234567'],
    [1_234_567_890_000n, 'money_micros', '1,234,567.89'],
    [1_005_000n, 'money_micros', '1.01'],
    [-1_005_000n, 'money_micros', '-1.01'],
    [1_234n, 'money_micros', '0.001234'],
    [0n, 'money_micros', '0.00'],
    [0.01234, 'ratio', '1.23%'],
    [1234.5, 'decimal', '1,234.50'],
    ['0.05', 'decimal', '0.0500'],
    [0.00001, 'decimal', '0.0000100000'],
    [true, 'boolean', 'true'],
    ['a\tb\u001b[31m', 'text', 'a\\tb\\u001b[31m'],
    [1_772_357_400_000_000n, 'timestamp', '2026-03-01T09:30:00Z'],
    [1_772_357_400_250_000n, 'timestamp', '2026-03-01T09:30:00.250Z'],
    [-1n, 'timestamp', '1969-12-31T23:59:59.999999Z'],
    [20_513, 'date', '2026-03-01'],
  ])('%s as %s reads %s', (value, kind, expected) => {
    expect(formatForPeople(value, kind)).toBe(expected);
  });

  it('keeps every microsecond for programs', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 16n }), (micros) => {
        const text = formatForPrograms(micros, 'timestamp');
        const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? '';
        const seconds = BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000n;
        expect(seconds + BigInt(fraction.padEnd(6, '0'))).toBe(micros);
      }),
    );
  });
});

describe('a table', () => {
  it('aligns numbers right and texts left, without spaces at the end of a line', async () => {
    const rendered = await join(
      renderTable(
        table({ campaign: 'text', clicks: 'count', site: 'text' }, [
          ['spring', 1200n, 'a.example'],
          ['summer-sale', 7n, '日本.example'],
        ]),
        plain,
      ),
    );
    expect(rendered).toBe('campaign     clicks  site\nspring        1,200  a.example\nsummer-sale       7  日本.example\n');
  });

  it('is its heading alone without rows', async () => {
    expect(await join(renderTable(table({ a: 'text', b: 'count' }, []), plain))).toBe('a  b\n');
  });

  it('fits a terminal by cutting texts, never numbers', async () => {
    const rows = [['x'.repeat(200), 123456789n, 'y'.repeat(100)]];
    const lines = (await join(renderTable(table({ a: 'text', n: 'integer', b: 'text' }, rows), { ...plain, width: 80 }))).trimEnd().split('\n');
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(80);
    expect(lines[1]).toContain('123456789');
    expect(lines[1]).toContain('…');
    expect(await join(renderTable(table({ a: 'text', n: 'integer', b: 'text' }, rows), plain))).toContain('x'.repeat(200));
  });

  it('goes on with the widths of the first rows when there are more than it measures', async () => {
    const rows = Array.from({ length: 2_500 }, (_, index) => [`row ${index}`, index]);
    const lines = (await join(renderTable(table({ name: 'text', n: 'integer' }, rows), plain))).trimEnd().split('\n');
    expect(lines).toHaveLength(2_501);
    expect(lines.at(-1)).toBe('row 2499  2499');
    // Without a terminal nothing is cut, not even a text wider than the measured ones.
    expect(await join(renderTable(table({ a: 'text', b: 'text' }, [...rows.map(() => ['x', 'y']), ['a wide one', 'y']]), plain))).toContain(
      '\na wide one  y\n',
    );
  });
});

describe('CSV', () => {
  it('quotes what needs it, and tells NULL from an empty text', async () => {
    const rendered = await join(
      renderCsv(
        table({ 'a,b': 'text', n: 'integer' }, [
          ['say "hi"', 1n],
          [' x', null],
          ['', 2],
          ['line\nbreak', 9007199254740993n],
        ]),
      ),
    );
    expect(rendered).toBe('"a,b",n\r\n"say ""hi""",1\r\n" x",\r\n"",2\r\n"line\nbreak",9007199254740993\r\n');
  });
});

describe('JSON', () => {
  it('gives integers past 2^53 as strings, others as numbers', async () => {
    const rows: CellValue[][] = [
      [9007199254740993n, 1.5, true, null, 1_772_357_400_000_000n],
      [-5n, Number.NaN, false, 'x', null],
    ];
    const text = await join(renderJsonRows(table({ n: 'integer', d: 'decimal', b: 'boolean', t: 'text', at: 'timestamp' }, rows)));
    expect(JSON.parse(text)).toEqual([
      { n: '9007199254740993', d: 1.5, b: true, t: null, at: '2026-03-01T09:30:00Z' },
      { n: -5, d: null, b: false, t: 'x', at: null },
    ]);
    expect(renderJson({ big: 2n ** 60n, small: 1n, map: new Map([['a', 1]]) })).toBe(
      '{\n  "big": "1152921504606846976",\n  "small": 1,\n  "map": {\n    "a": 1\n  }\n}\n',
    );
  });

  it('is an empty array without rows', async () => {
    expect(JSON.parse(await join(renderJsonRows(table({ a: 'text' }, []))))).toEqual([]);
  });

  it('reads back as what was written, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.option(fc.maxSafeInteger()))), async (rows) => {
        const text = await join(renderJsonRows(table({ text: 'text', n: 'integer' }, rows)));
        expect(JSON.parse(text)).toEqual(rows.map(([text, n]) => ({ text, n })));
      }),
      { numRuns: 30 },
    );
  });
});
