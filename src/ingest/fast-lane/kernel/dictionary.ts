/** Texts that come again and again are held once: most columns of texts have few. */
import {
  DICTIONARY_CAPACITY,
  DICTIONARY_COUNT,
  DICTIONARY_DATA,
  DICTIONARY_POSITION,
  DICTIONARY_SLOTS,
  DICTIONARY_SLOT_COUNT,
  SLOT_BYTES,
  SLOT_HASH,
  SLOT_INDEX,
  SLOT_TEXT,
} from '../layout';
import { copyText, hashText, sameText } from './text';

/** The index of a text, which is added if it is new. */
export function indexOf(dictionary: usize, start: usize, length: usize): u32 {
  const hash = hashText(start, length);
  const data = <usize>load<u32>(dictionary, DICTIONARY_DATA);
  let slot = slotAt(dictionary, hash);
  for (let place = hash; load<u32>(slot, SLOT_TEXT) != 0; slot = slotAt(dictionary, ++place)) {
    if (load<u32>(slot, SLOT_HASH) != hash) continue;
    const text = data + <usize>load<u32>(slot, SLOT_TEXT) - 1;
    if (<usize>load<u32>(text) == length && sameText(text + 4, start, length)) return load<u32>(slot, SLOT_INDEX);
  }
  return add(dictionary, slot, hash, start, length);
}

function add(dictionary: usize, slot: usize, hash: u32, start: usize, length: usize): u32 {
  const index = load<u32>(dictionary, DICTIONARY_COUNT);
  const position = load<u32>(dictionary, DICTIONARY_POSITION);
  const needed = position + <u32>length + 4 + 16;
  if (needed > load<u32>(dictionary, DICTIONARY_CAPACITY)) growTexts(dictionary, needed);
  const text = <usize>load<u32>(dictionary, DICTIONARY_DATA) + position;
  store<u32>(text, <u32>length);
  copyText(text + 4, start, length);
  store<u32>(slot, hash, SLOT_HASH);
  store<u32>(slot, position + 1, SLOT_TEXT);
  store<u32>(slot, index, SLOT_INDEX);
  store<u32>(dictionary, position + 4 + <u32>length, DICTIONARY_POSITION);
  store<u32>(dictionary, index + 1, DICTIONARY_COUNT);
  if ((index + 1) * 2 > load<u32>(dictionary, DICTIONARY_SLOT_COUNT)) growSlots(dictionary);
  return index;
}

function growTexts(dictionary: usize, needed: u32): void {
  let capacity = load<u32>(dictionary, DICTIONARY_CAPACITY) * 2;
  while (capacity < needed) capacity *= 2;
  const data = heap.alloc(capacity);
  memory.copy(data, load<u32>(dictionary, DICTIONARY_DATA), load<u32>(dictionary, DICTIONARY_POSITION));
  store<u32>(dictionary, <u32>data, DICTIONARY_DATA);
  store<u32>(dictionary, capacity, DICTIONARY_CAPACITY);
}

function growSlots(dictionary: usize): void {
  const before = <usize>load<u32>(dictionary, DICTIONARY_SLOTS);
  const count = load<u32>(dictionary, DICTIONARY_SLOT_COUNT);
  const size = <usize>count * 2 * SLOT_BYTES;
  const slots = heap.alloc(size);
  memory.fill(slots, 0, size);
  store<u32>(dictionary, <u32>slots, DICTIONARY_SLOTS);
  store<u32>(dictionary, count * 2, DICTIONARY_SLOT_COUNT);
  const end = before + <usize>count * SLOT_BYTES;
  for (let from = before; from < end; from += SLOT_BYTES) {
    if (load<u32>(from, SLOT_TEXT) == 0) continue;
    let place = load<u32>(from, SLOT_HASH);
    let slot = slotAt(dictionary, place);
    while (load<u32>(slot, SLOT_TEXT) != 0) slot = slotAt(dictionary, ++place);
    memory.copy(slot, from, SLOT_BYTES);
  }
}

// @ts-ignore: decorator
@inline
function slotAt(dictionary: usize, place: u32): usize {
  const mask = load<u32>(dictionary, DICTIONARY_SLOT_COUNT) - 1;
  return <usize>load<u32>(dictionary, DICTIONARY_SLOTS) + <usize>(place & mask) * SLOT_BYTES;
}
