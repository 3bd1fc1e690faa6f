/** Batches from the first to the last of them, both included. */
export interface BatchRange {
  readonly first: number;
  readonly last: number;
}

/** The same batches in as few ranges as there can be, in order. */
export function mergeRanges(ranges: readonly BatchRange[]): BatchRange[] {
  const merged: BatchRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    else merged.push(range);
  }
  return merged;
}

/** What is left of a range without some others. */
export function withoutRanges(range: BatchRange, others: readonly BatchRange[]): BatchRange[] {
  const left: BatchRange[] = [];
  let { first } = range;
  for (const other of mergeRanges(others)) {
    if (other.first > first) left.push({ first, last: Math.min(other.first - 1, range.last) });
    first = Math.max(first, other.last + 1);
    if (first > range.last) return left.filter((each) => each.first <= each.last);
  }
  return [...left, { first, last: range.last }].filter((each) => each.first <= each.last);
}

/** Cut into ranges of so many batches at most. */
export function cutRange({ first, last }: BatchRange, batches: number): BatchRange[] {
  const parts: BatchRange[] = [];
  for (let from = first; from <= last; from += batches) parts.push({ first: from, last: Math.min(last, from + batches - 1) });
  return parts;
}
