/** The text of a big-endian two's complement number of units, by BigInt and plain division. */
export function decimalFromUnits(bytes: Buffer, scale: number): string {
  let units = 0n;
  for (const byte of bytes) units = units * 256n + BigInt(byte);
  units = BigInt.asIntN(8 * bytes.length, units);
  const magnitude = units < 0n ? -units : units;
  const whole = magnitude / 10n ** BigInt(scale);
  const fraction = magnitude % 10n ** BigInt(scale);
  return `${units < 0n ? '-' : ''}${whole}${scale > 0 ? `.${String(fraction).padStart(scale, '0')}` : ''}`;
}
