const PADDED: readonly string[] = Array.from({ length: 10_000 }, (_, n) => String(n).padStart(4, '0').replace(/0+$/, ''));

/** `2.35` for 2,350,000 micros: the shortest decimal text, exact to the micro. */
export function spellMoney(micros: number): string {
  const units = Math.floor(micros / 1_000_000);
  const rest = micros - units * 1_000_000;
  if (rest === 0) return String(units);
  // Four digits say nearly every amount there is.
  if (rest % 100 === 0) return `${units}.${PADDED[rest / 100]}`;
  return `${units}.${String(rest).padStart(6, '0').replace(/0+$/, '')}`;
}
