/** What is known of user agents: few of them make most traffic, so each is asked about once (bot-detector.ts). */
import { beginParts, finishParts, h1, h2, textPart } from './murmur3';
import { sameText } from './text';

/** Whether a text in the kernel's memory is a robot's user agent. */
// @ts-ignore: decorator
@external('lane', 'isBot')
declare function isBot(start: usize, length: usize): bool;

const SLOTS: u32 = 32_768;
const SLOT_BYTES: usize = 24;
/** Fewer than slots, so that a free one is found soon. */
const REMEMBERED: u32 = 20_000;
const TEXT_BYTES: usize = 4_194_304;

let slots: usize = 0;
let texts: usize = 0;
let used: usize = 0;
let count: u32 = 0;

/** Of the last one looked up: whether it is a robot's, and 64 bits of its hash. */
export let agentIsBot: bool = false;
export let agentHigh: u32 = 0;
export let agentLow: u32 = 0;

export function setUpAgents(): void {
  slots = heap.alloc(<usize>SLOTS * SLOT_BYTES);
  texts = heap.alloc(TEXT_BYTES);
  forget();
}

function forget(): void {
  memory.fill(slots, 0, <usize>SLOTS * SLOT_BYTES);
  used = 0;
  count = 0;
}

export function lookUpAgent(start: usize, end: usize): void {
  const length = end - start;
  beginParts();
  textPart(start, length);
  finishParts();
  agentHigh = h1;
  agentLow = h2;
  let slot = slotAt(h2);
  for (let place = h2; load<u32>(slot, 8) != 0; slot = slotAt(++place)) {
    if (load<u32>(slot) == h1 && load<u32>(slot, 4) == h2 && <usize>load<u32>(slot, 12) == length && sameText(load<u32>(slot, 8), start, length)) {
      agentIsBot = load<u32>(slot, 16) != 0;
      return;
    }
  }
  if (count >= REMEMBERED || used + length + 16 > TEXT_BYTES) {
    forget();
    slot = slotAt(h2);
  }
  agentIsBot = isBot(start, length);
  const text = texts + used;
  memory.copy(text, start, length);
  used += length;
  count++;
  store<u32>(slot, h1);
  store<u32>(slot, h2, 4);
  store<u32>(slot, <u32>text, 8);
  store<u32>(slot, <u32>length, 12);
  store<u32>(slot, agentIsBot ? 1 : 0, 16);
}

// @ts-ignore: decorator
@inline
function slotAt(place: u32): usize {
  return slots + <usize>(place & (SLOTS - 1)) * SLOT_BYTES;
}
