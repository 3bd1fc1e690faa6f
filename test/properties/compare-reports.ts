/** Compares the campaign report with the reference's exact fractions: ratios are doubles in the product, and must be as close as doubles are. */
import type { Fraction, ReportRow } from '../reference/ratios.ts';
import type { MeasuredRow } from './product.ts';

const FIGURES = ['ctr', 'cvr', 'spend', 'cpa', 'cpc', 'ecpm', 'roas', 'win_rate', 'frequency'] as const;

/** Null when they say the same; else the first difference. */
export function compareReports(expected: readonly ReportRow[], actual: readonly MeasuredRow[]): string | null {
  const name = (row: ReportRow | MeasuredRow) => `${row.report_date} ${row.campaign_id} ${row.model}`;
  const found = new Map(actual.map((row) => [name(row), row]));
  if (found.size !== expected.length || actual.length !== expected.length) return `${expected.length} rows expected in the report, ${actual.length} found`;
  for (const row of expected) {
    const other = found.get(name(row));
    if (other === undefined) return `${name(row)} is not in the report`;
    if (other['reach'] !== row.reach) return `reach of ${name(row)}: expected ${row.reach}, found ${other['reach']}`;
    for (const figure of FIGURES)
      if (!isSame(row[figure], other[figure])) return `${figure} of ${name(row)}: expected ${show(row[figure])}, found ${other[figure]}`;
  }
  return null;
}

function isSame(expected: Fraction | null, actual: MeasuredRow[string] | undefined): boolean {
  if (expected === null || typeof actual !== 'number') return expected === null && actual === null;
  const value = Number(expected.numerator) / Number(expected.denominator);
  return Math.abs(value - actual) <= 1e-12 * Math.abs(value);
}

function show(value: Fraction | null): string {
  return value === null ? 'NULL' : `${value.numerator}/${value.denominator} = ${Number(value.numerator) / Number(value.denominator)}`;
}
