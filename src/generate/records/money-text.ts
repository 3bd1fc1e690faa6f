/** `2.35` for 2,350,000 micros: the shortest decimal text, exact to the micro. */
export function spellMoney(micros: number): string {
  const units = Math.floor(micros / 1_000_000);
  const rest = micros - units * 1_000_000;
  if (rest === 0) return String(units);
  if (rest % 10_000 === 0) {
    const cents = rest / 10_000;
    return cents % 10 === 0 ? `${units}.${cents / 10}` : `${units}.${cents < 10 ? '0' : ''}${cents}`;
  }
  let digits = String(rest).padStart(6, '0');
  while (digits.endsWith('0')) digits = digits.slice(0, -1);
  return `${units}.${digits}`;
}
