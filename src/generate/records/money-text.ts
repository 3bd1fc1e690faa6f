const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));
/** Without the zeros at the end. */
const LAST_DIGITS: readonly string[] = TWO_DIGITS.map((digits) => digits.replace(/0+$/, ''));

/** `2.35` for 2,350,000 micros: the shortest decimal text, exact to the micro. */
export function spellMoney(micros: number): string {
  const units = Math.floor(micros / 1_000_000);
  const rest = micros - units * 1_000_000;
  if (rest === 0) return String(units);
  const cents = Math.floor(rest / 10_000);
  const below = rest - cents * 10_000;
  if (below === 0) return `${units}.${LAST_DIGITS[cents]}`;
  // Four digits say nearly every price there is.
  if (below % 100 === 0) return `${units}.${TWO_DIGITS[cents]}${LAST_DIGITS[below / 100]}`;
  return `${units}.${String(rest).padStart(6, '0').replace(/0+$/, '')}`;
}
