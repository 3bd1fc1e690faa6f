import { z } from 'zod';

/** What requests and answers are made of. A schema that tells more to JSON Schema than it can by itself has that in its meta. */

/** Digits of a whole number in an address. */
export function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `has to be a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .refine((number) => number >= minimum && number <= maximum, `has to be a whole number from ${minimum} to ${maximum}`)
    .meta({ jsonSchema: { type: 'integer', minimum, maximum } });
}

/** A text to look for, as it stands in a column. */
export const text = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[^\u0000]*$/, 'has a NUL character');
export const day = z.iso.date();
/** RFC 3339, or a day, whose beginning is meant (UTC). */
export const moment = z.union([z.iso.datetime({ offset: true }), z.iso.date()], 'has to be a time like 2026-03-14T09:26:53Z, or a day like 2026-03-14');
export const asOf = wholeNumber(1, Number.MAX_SAFE_INTEGER).describe('Everything as it was after this batch. Without it: after the last one.').optional();

/** 64 bits: beyond 2⁵³ the digits are a string, as a number of that size loses some in most readers. */
export const integer = z.union([z.int(), z.string().regex(/^-?\d+$/)]);
/** RFC 3339, UTC, with microseconds where there are any. */
export const timestamp = z.string().meta({ format: 'date-time' });
export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** The batch whose state the answer shows; 0: nothing was committed yet. */
export const answeredAsOf = z.int().min(0).describe('The batch as of which the answer is. 0: nothing was committed yet.');
