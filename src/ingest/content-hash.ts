import type { NormalisedRecord } from '../contracts/contract.ts';
import { KeyHasher } from '../domain/murmur3.ts';
import type { KnownUserAgent } from './bot-detector.ts';
import type { FieldSlot } from './field-slots.ts';

/**
 * Folds a record's normalised content into 64 bits: what tells a duplicate from a conflict. Each field that is there goes in
 * under a tag made from its column's name, in the order of the names: a contract that gains an optional field, or lists
 * its fields in another order, leaves the content of records as it was.
 */
export class ContentHasher {
  private readonly textSlots: Int32Array;
  private readonly textTags: Int32Array;
  private readonly numberSlots: Int32Array;
  private readonly numberTags: Int32Array;
  private readonly userAgentTag: number;

  constructor(fields: readonly FieldSlot[]) {
    const ordered = contentOrder(fields);
    const texts = ordered.filter((field) => field.isText);
    const numbers = ordered.filter((field) => !field.isText);
    this.textSlots = Int32Array.from(texts, (field) => field.slot);
    this.textTags = Int32Array.from(texts, (field) => tagOf(field.column));
    this.numberSlots = Int32Array.from(numbers, (field) => field.slot);
    this.numberTags = Int32Array.from(numbers, (field) => tagOf(field.column));
    this.userAgentTag = tagOf('user_agent');
  }

  /** Leaves the hash in `hasher`, as its h1 and h2. User agents are long and few: theirs is remembered. */
  hash(record: NormalisedRecord, userAgent: KnownUserAgent | undefined, hasher: KeyHasher): void {
    const { textSlots, textTags, numberSlots, numberTags } = this;
    hasher.begin();
    for (let i = 0; i < textSlots.length; i++) {
      const slot = textSlots[i] as number;
      if (record.present[slot] === 0) continue;
      hasher.word(textTags[i] as number);
      hasher.text(record.buffers[slot] as Uint8Array, record.starts[slot] as number, record.ends[slot] as number);
    }
    for (let i = 0; i < numberSlots.length; i++) {
      const slot = numberSlots[i] as number;
      if (record.present[slot] === 0) continue;
      const value = record.numbers[slot] as number;
      hasher.word(numberTags[i] as number);
      hasher.word(value | 0);
      hasher.word(Math.floor(value / 0x1_0000_0000));
    }
    if (userAgent !== undefined) {
      hasher.word(this.userAgentTag);
      hasher.word(userAgent.high);
      hasher.word(userAgent.low);
    }
    hasher.finish();
  }
}

/** In which order fields go in; the user agent follows them. */
export function contentOrder(fields: readonly FieldSlot[]): FieldSlot[] {
  const ordered = [...fields].sort((a, b) => (a.column < b.column ? -1 : 1)).filter(({ column }) => column !== 'user_agent');
  return [...ordered.filter((field) => field.isText), ...ordered.filter((field) => !field.isText)];
}

export function tagOf(column: string): number {
  const hasher = new KeyHasher();
  hasher.begin();
  hasher.ascii(column);
  hasher.finish();
  return hasher.h1 | 0;
}
