import { isbot } from 'isbot';
import type { NormalisedRecord } from '../contracts/contract.ts';
import type { FieldSlot } from './field-slots.ts';

/** Tells bots by a maintained public list of user agents. Few user agents make most traffic, so answers are remembered. */
export class BotDetector {
  private readonly answers = new Map<string, boolean>();

  isBot(record: NormalisedRecord, userAgent: FieldSlot): boolean {
    if (record.present[userAgent.slot] === 0) return false;
    const bytes = record.buffers[userAgent.slot] as Uint8Array;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', record.starts[userAgent.slot], record.ends[userAgent.slot]);
    const known = this.answers.get(text);
    if (known !== undefined) return known;
    const answer = isbot(text);
    if (this.answers.size >= REMEMBERED) this.answers.clear();
    this.answers.set(text, answer);
    return answer;
  }
}

const REMEMBERED = 20_000;
