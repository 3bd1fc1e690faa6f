/** How records come in: in which order, spread over which files and batches, in which encodings, and how often. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Encoding } from '../reference/decode.ts';
import type { Feed } from '../reference/feeds.ts';
import type { ReceivedFile } from '../reference/reference.ts';
import { type Compression, renderFile, type Written } from './render-files.ts';
import { RECEIVED_AT, type TrafficItem } from './traffic.ts';

/** A place for an item: its rank decides the order within a file. */
interface Place {
  readonly batch: number;
  readonly file: number;
  readonly rank: number;
  readonly style: number;
}

/** Places for any number of items (they are taken round and round), and for copies of some. */
export interface Arrangement {
  readonly places: readonly Place[];
  readonly repeats: readonly { readonly item: number; readonly place: Place }[];
  /** By batch and file, round and round. */
  readonly encodings: readonly Encoding[];
  readonly compressions: readonly Compression[];
}

const BATCHES = 4;
const FILES = 2;

const place: fc.Arbitrary<Place> = fc.record({ batch: fc.nat(BATCHES - 1), file: fc.nat(FILES - 1), rank: fc.nat(100), style: fc.nat(1000) });

export function arrangement(encodings: readonly Encoding[]): fc.Arbitrary<Arrangement> {
  return fc.record({
    places: fc.array(place, { minLength: 1, maxLength: 60, size: 'max' }),
    repeats: fc.array(fc.record({ item: fc.nat(100), place }), { maxLength: 10 }),
    encodings: fc.array(fc.constantFrom(...encodings), { minLength: 8, maxLength: 8 }),
    compressions: fc.array(fc.constantFrom<Compression>('none', 'none', 'gzip', 'zstd'), { minLength: 8, maxLength: 8 }),
  });
}

/** Reference data is read before events where both are in one batch, as the product does. */
const FEED_ORDER: readonly Feed[] = ['campaigns', 'creatives', 'users', 'currency-rates', 'ad-impressions', 'bid-requests', 'clicks-conversions'];

/** The files of each batch, in the order in which they are read. Rates are needed before amounts: they come first of all. */
export function arrange(items: readonly TrafficItem[], { places, repeats, encodings, compressions }: Arrangement, ratesFirst: boolean): ReceivedFile[][] {
  const placed = items.map((one, i) => ({ ...one, place: places[i % places.length]! }));
  for (const repeat of repeats) placed.push({ ...items[repeat.item % items.length]!, place: repeat.place });
  placed.sort((a, b) => a.place.rank - b.place.rank);

  const batches: ReceivedFile[][] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const files: ReceivedFile[] = [];
    for (const feed of FEED_ORDER)
      for (let file = 0; file < FILES; file++) {
        const batchOf = (at: Place) => (ratesFirst && feed === 'currency-rates' ? 0 : at.batch);
        const own = placed.filter((one) => one.feed === feed && batchOf(one.place) === batch && one.place.file === file);
        if (own.length === 0) continue;
        const written = own.map(({ item, place: { style } }): Written => ({ item, style }));
        const slot = batch * FILES + file;
        const [encoding, compression] = [encodings[slot % encodings.length]!, compressions[slot % compressions.length]!];
        const source = `batch${batch}-${feed}-${file}`;
        files.push({ feed, source, bytes: renderFile(written, encoding, compression), encoding, receivedAtMicros: RECEIVED_AT, batch });
      }
    if (files.length > 0) batches.push(files);
  }
  return batches;
}

/** A file of which the content was taken before is not taken again: what is left for the reference to read. */
export function withoutKnownFiles(files: readonly ReceivedFile[]): ReceivedFile[] {
  const taken = new Set<string>();
  return files.filter((file) => {
    const content = `${file.feed} ${createHash('sha256').update(file.bytes).digest('hex')}`;
    const isNew = !taken.has(content);
    taken.add(content);
    return isNew;
  });
}
