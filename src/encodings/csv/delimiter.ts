import { AdvertiseXError } from '../../domain/errors.ts';
import { CARRIAGE_RETURN, LINE_FEED, QUOTE } from './row-reader.ts';

/** The byte between cells. */
export function delimiterByte(delimiter: string): number {
  const byte = delimiter.charCodeAt(0);
  if (delimiter.length === 1 && byte < 0x80 && byte !== QUOTE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) return byte;
  throw new AdvertiseXError(
    'usage',
    `A CSV delimiter cannot be ${JSON.stringify(delimiter)}.`,
    'Give one ASCII character that is no quote and no line break, for example ";" or a tab.',
  );
}
