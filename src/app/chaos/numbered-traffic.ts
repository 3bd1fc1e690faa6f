import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Feed } from '../../domain/feeds.ts';
import { RandomStream } from '../../generate/random-stream.ts';
import { FORMS, type Form, toAvro } from './encode-records.ts';
import { idOf, numberedRecord } from './numbered-records.ts';

/** A request with the records of `count` numbers, from `first` on. */
export interface NumberedRequest {
  readonly feed: Feed;
  readonly first: number;
  readonly count: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Its sender dies after so many bytes of the body. */
  readonly cutAfterBytes: number | undefined;
  /** Where it is not answered, it is sent again. */
  readonly isSentAgain: boolean;
}

/** How often a request is of a feed, in a hundred. */
const FEED_SHARES: readonly (readonly [Feed, number])[] = [
  ['ad-impressions', 42],
  ['clicks-conversions', 26],
  ['bid-requests', 22],
  ['creatives', 4],
  ['campaigns', 2],
  ['users', 2],
  ['currency-rates', 2],
];
const FEED_OF_SHARE = FEED_SHARES.flatMap(([feed, share]) => Array.from({ length: share }, () => feed));

const A_BLOCK = 64;
const MOST_RECORDS = 60;
const CUT = 0.03;
const SENT_AGAIN = 0.15;

interface Planned {
  readonly feed: Feed;
  readonly first: number;
  readonly count: number;
  readonly random: RandomStream;
}

/** Requests without end. The same seed gives the same ones, in the same order. */
export class NumberedTraffic {
  private readonly seed: string;
  private blocks = 0;
  private nextNumber = 0;
  private planned: Planned[] = [];
  private creatives: string[] = [];

  constructor(seed: string) {
    this.seed = seed;
  }

  /** As many numbers as were given out. */
  get numbers(): number {
    return this.nextNumber;
  }

  next(): NumberedRequest {
    if (this.planned.length === 0) this.planBlock();
    const { feed, first, count, random } = this.planned.shift() as Planned;
    const records = Array.from({ length: count }, (_, index) => numberedRecord(feed, first + index, random, this.creatives));
    const form = feed === 'bid-requests' && random.chance(0.5) ? 'application/avro' : random.pick(Object.keys(FORMS) as Form[]);
    const plain = form === 'application/avro' ? toAvro(records, Buffer.from(Array.from({ length: 16 }, () => random.below(256)))) : FORMS[form](records);
    const coding = random.pick(['identity', 'identity', 'gzip', 'zstd'] as const);
    const body = coding === 'gzip' ? gzipSync(plain) : coding === 'zstd' ? zstdCompressSync(plain) : plain;
    return {
      feed,
      first,
      count,
      headers: { 'content-type': form, 'content-encoding': coding },
      body,
      cutAfterBytes: random.chance(CUT) ? random.below(body.length) : undefined,
      isSentAgain: random.chance(SENT_AGAIN),
    };
  }

  /** Together, so that impressions can name creatives that are sent of only later. */
  private planBlock(): void {
    const random = new RandomStream(this.seed, `block ${this.blocks}`);
    for (let index = 0; index < A_BLOCK; index++) {
      const feed = random.pick(FEED_OF_SHARE);
      const count = Math.floor(random.logUniform(1, MOST_RECORDS));
      this.planned.push({ feed, first: this.nextNumber, count, random: new RandomStream(this.seed, `request ${this.blocks * A_BLOCK + index}`) });
      this.nextNumber += count;
    }
    this.blocks++;
    this.creatives = this.planned
      .filter(({ feed }) => feed === 'creatives')
      .flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => idOf(first + i, 'creatives')));
  }
}
