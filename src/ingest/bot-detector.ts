import { isbot } from 'isbot';
import type { NormalisedRecord } from '../contracts/contract.ts';
import { KeyHasher } from '../domain/murmur3.ts';
import type { FieldSlot } from './field-slots.ts';

/** What is known of a user agent's text: few of them make most traffic, so each is looked at once. */
export interface KnownUserAgent {
  readonly bytes: Uint8Array;
  /** By a maintained public list. */
  readonly isBot: boolean;
  /** 64 bits of its hash. */
  readonly high: number;
  readonly low: number;
}

/** Tells bots by their user agents. */
export class BotDetector {
  private readonly known = new Map<number, KnownUserAgent>();
  private readonly hasher = new KeyHasher();

  /** Undefined where the record names none. */
  lookUp(record: NormalisedRecord, userAgent: FieldSlot): KnownUserAgent | undefined {
    if (record.present[userAgent.slot] === 0) return undefined;
    const bytes = record.buffers[userAgent.slot] as Uint8Array;
    const start = record.starts[userAgent.slot] as number;
    const end = record.ends[userAgent.slot] as number;
    const hash = hashBytes(bytes, start, end);
    const found = this.known.get(hash);
    if (found !== undefined && sameBytes(found.bytes, bytes, start, end)) return found;
    if (this.known.size >= REMEMBERED) this.known.clear();
    const added = this.examine(bytes.slice(start, end));
    this.known.set(hash, added);
    return added;
  }

  private examine(bytes: Uint8Array): KnownUserAgent {
    const { hasher } = this;
    hasher.begin();
    hasher.text(bytes, 0, bytes.length);
    hasher.finish();
    return { bytes, isBot: isbot(UTF8.decode(bytes)), high: hasher.h1, low: hasher.h2 };
  }
}

const REMEMBERED = 20_000;
const UTF8 = new TextDecoder();

/** FNV-1a: only picks the one to compare with. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 16_777_619);
  return hash;
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
