import { isbot } from 'isbot';
import type { NormalisedRecord } from '../contracts/contract.ts';
import type { FieldSlot } from './field-slots.ts';

/** Tells bots by a maintained public list of user agents. Few user agents make most traffic, so answers are remembered. */
export class BotDetector {
  private readonly answers = new Map<number, Answer>();

  isBot(record: NormalisedRecord, userAgent: FieldSlot): boolean {
    if (record.present[userAgent.slot] === 0) return false;
    const bytes = record.buffers[userAgent.slot] as Uint8Array;
    const start = record.starts[userAgent.slot] as number;
    const end = record.ends[userAgent.slot] as number;
    const hash = hashBytes(bytes, start, end);
    const known = this.answers.get(hash);
    if (known !== undefined && sameBytes(known.userAgent, bytes, start, end)) return known.isBot;
    const answer = { userAgent: bytes.slice(start, end), isBot: isbot(UTF8.decode(bytes.subarray(start, end))) };
    if (this.answers.size >= REMEMBERED) this.answers.clear();
    this.answers.set(hash, answer);
    return answer.isBot;
  }
}

interface Answer {
  readonly userAgent: Uint8Array;
  readonly isBot: boolean;
}

const REMEMBERED = 20_000;
const UTF8 = new TextDecoder();

/** FNV-1a over a small integer's range; only picks the answer to compare with. */
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
