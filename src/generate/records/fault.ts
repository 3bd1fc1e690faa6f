import type { QuarantineCode } from '../../domain/outcome.ts';
import type { RandomStream } from '../random-stream.ts';

/** What a fault puts in place of the right values; a function where they vary. */
export type Change<R> = Partial<R> | ((record: Readonly<R>, random: RandomStream) => Partial<R>);
/** What it does to the record's bytes, line feed included. */
export type Garble = (bytes: Buffer) => Buffer;

/** One way in which a record is broken, with what the quarantine must say about it. */
export interface Fault<R> {
  readonly code: QuarantineCode;
  /** JSON pointer of the field, empty for the whole record. */
  readonly pointer: string;
  /** A few words for the truth. */
  readonly sort: string;
  readonly change: Change<R>;
  readonly garble: Garble | undefined;
}

export function fault<R>(code: QuarantineCode, pointer: string, sort: string, change: Change<R>, garble?: Garble): Fault<R> {
  return { code, pointer, sort, change, garble };
}

/** Puts a byte that UTF-8 never has in the middle of `text`. */
export function withInvalidByte(text: string): Garble {
  return (bytes) => {
    const copy = Buffer.from(bytes);
    copy[copy.indexOf(text) + (text.length >> 1)] = 0xff;
    return copy;
  };
}

/** Another line altogether. */
export function line(text: string): Garble {
  return () => Buffer.from(`${text}\n`);
}
