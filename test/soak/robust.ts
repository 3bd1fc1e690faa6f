/** What one outlier does not move. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? 0 : sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The median of the slopes between any two points (Theil and Sen): a garbage collection at the end, or a peak, is no trend. */
export function slopePerSecond(points: readonly (readonly [seconds: number, value: number])[]): number {
  const slopes: number[] = [];
  for (const [index, [time, value]] of points.entries()) {
    for (const [earlier, before] of points.slice(0, index)) if (time > earlier) slopes.push((value - before) / (time - earlier));
  }
  return median(slopes);
}
