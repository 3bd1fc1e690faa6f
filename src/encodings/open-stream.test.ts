import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inChunks } from '../../test/encodings/decode-all.ts';
import { openDecompressed, type StreamDamage } from './open-stream.ts';

/** Lines that compress to about a quarter, so that there is something to break. */
const TEXT = Buffer.from(Array.from({ length: 800 }, (_, i) => `line ${i} ${(i * 7919) % 1009}`).join('\n'));
const checksummed = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } };
const GZIP = zlib.gzipSync(TEXT);
const ZSTD = zlib.zstdCompressSync(TEXT, checksummed);
const SKIPPABLE = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

async function read(input: Uint8Array, { chunk = 65_536, reopens = true, name = 'events' } = {}): Promise<{ bytes: Buffer; damage: string[] }> {
  const open = () => inChunks(input, chunk);
  return collect(openDecompressed(open(), name, reopens ? open : undefined));
}

async function collect(parts: AsyncIterable<Uint8Array | StreamDamage>) {
  const bytes: Uint8Array[] = [];
  const damage: string[] = [];
  for await (const part of parts) {
    if (damage.length > 0) throw new Error('something came after the damage');
    if (part instanceof Uint8Array) bytes.push(new Uint8Array(part));
    else damage.push(part.damage);
  }
  return { bytes: Buffer.concat(bytes), damage };
}

const twice = Buffer.concat([TEXT, TEXT]);

describe('an input', () => {
  it.each([
    ['plain', TEXT, TEXT],
    ['empty', Buffer.alloc(0), Buffer.alloc(0)],
    ['of one byte', Buffer.from('{'), Buffer.from('{')],
    ['gzip', GZIP, TEXT],
    ['gzip of two members', Buffer.concat([GZIP, GZIP]), twice],
    ['gzip with an empty member', Buffer.concat([zlib.gzipSync(''), GZIP, zlib.gzipSync('')]), TEXT],
    ['gzip padded with zeros', Buffer.concat([GZIP, Buffer.alloc(1000)]), TEXT],
    ['gzip with padding between members', Buffer.concat([GZIP, Buffer.alloc(1000), GZIP]), twice],
    ['zstd', ZSTD, TEXT],
    ['zstd without a checksum', zlib.zstdCompressSync(TEXT), TEXT],
    ['zstd of two frames', Buffer.concat([ZSTD, ZSTD]), twice],
    ['zstd with an empty frame', Buffer.concat([zlib.zstdCompressSync(''), ZSTD, zlib.zstdCompressSync('')]), TEXT],
    ['zstd of nothing', zlib.zstdCompressSync(''), Buffer.alloc(0)],
    ['zstd with skippable frames', Buffer.concat([SKIPPABLE, ZSTD, SKIPPABLE, ZSTD, SKIPPABLE]), twice],
    ['zstd of one block of runs', zlib.zstdCompressSync(Buffer.alloc(300_000, 'x'), checksummed), Buffer.alloc(300_000, 'x')],
  ])('that is %s is read in chunks of any size', async (_, input, expected) => {
    for (const chunk of [1, 100, 1_000_000]) {
      if (chunk < 100 && input.length > 3000) continue;
      for (const reopens of [true, false]) {
        const { bytes, damage } = await read(input, { chunk, reopens });
        expect(damage).toEqual([]);
        expect(bytes.equals(expected)).toBe(true);
      }
    }
  });

  it('is known by its first bytes, not by its name', async () => {
    expect((await read(TEXT, { name: 'events.json.gz' })).bytes.equals(TEXT)).toBe(true);
    expect((await read(GZIP, { name: 'events.json' })).bytes.equals(TEXT)).toBe(true);
    expect((await read(ZSTD, { name: 'events.json.gz' })).bytes.equals(TEXT)).toBe(true);
  });

  it('that cannot be read throws what it throws', async () => {
    const broken = Readable.from(
      (async function* () {
        yield GZIP.subarray(0, 100);
        throw new Error('the disk is gone');
      })(),
    );
    await expect(collect(openDecompressed(broken, 'events.gz'))).rejects.toThrow('the disk is gone');
  });

  it('that is a bomb fills no memory', async () => {
    const zeros = Buffer.alloc(64 * 1024 * 1024);
    for (const bomb of [zlib.gzipSync(zeros), zlib.zstdCompressSync(zeros)]) {
      let bytes = 0;
      let largest = 0;
      const open = () => inChunks(bomb, 1e9);
      for await (const part of openDecompressed(open(), 'bomb', open)) {
        if (!(part instanceof Uint8Array)) throw new Error(part.damage);
        bytes += part.length;
        largest = Math.max(largest, part.buffer.byteLength);
      }
      expect(bytes).toBe(zeros.length);
      expect(largest).toBeLessThanOrEqual(1024 * 1024);
    }
  });

  it.each([
    ['plain', Buffer.from('{}\n'.repeat(1_000))],
    ['gzip', GZIP],
  ])('%s and left before its end is closed', async (_, bytes) => {
    let isClosed = false;
    const input = async function* () {
      try {
        yield* inChunks(bytes, 100);
      } finally {
        isClosed = true;
      }
    };
    for await (const part of openDecompressed(input(), 'events')) {
      expect(part).toBeInstanceOf(Uint8Array);
      break;
    }
    expect(isClosed).toBe(true);
  });
});

describe('a cut', () => {
  it('of gzip gives all that lies before it, then the damage', async () => {
    const two = Buffer.concat([zlib.gzipSync('first\n'), GZIP]);
    const firstEnd = zlib.gzipSync('first\n').length;
    for (let end = 1; end < two.length; end += end < 60 || end > two.length - 20 ? 1 : 197) {
      const { bytes, damage } = await read(two.subarray(0, end), { name: 'events.gz' });
      const certain = end < firstEnd ? '' : 'first\n';
      const inside =
        end > firstEnd + 10
          ? zlib.inflateRawSync(two.subarray(firstEnd + 10, Math.min(end, two.length - 8)), { finishFlush: zlib.constants.Z_SYNC_FLUSH })
          : '';
      if (end >= firstEnd) expect(bytes.toString(), `cut at ${end}`).toBe(`${certain}${inside}`);
      expect(damage.length, `cut at ${end}`).toBe(end === firstEnd ? 0 : 1);
    }
  });

  it('of zstd gives all blocks before it, then the damage', async () => {
    const blocks = Buffer.concat([TEXT, Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * i * 7919) >> 3))]);
    const input = Buffer.concat([zlib.zstdCompressSync('first\n'), zlib.zstdCompressSync(blocks, checksummed)]);
    const firstEnd = zlib.zstdCompressSync('first\n').length;
    for (let end = 1; end < input.length; end += end < 60 || end > input.length - 20 ? 1 : 9973) {
      const { bytes, damage } = await read(input.subarray(0, end), { name: 'events.zst' });
      if (end >= firstEnd) expect(bytes.subarray(0, 6).toString()).toBe('first\n');
      const rest = bytes.subarray(6);
      expect(rest.equals(blocks.subarray(0, rest.length)), `cut at ${end}`).toBe(true);
      // Blocks hold up to 128 KiB, whatever they compress to.
      const certain = Math.floor((end - firstEnd - 20) / (131_072 + 20)) * 131_072;
      expect(rest.length).toBeGreaterThanOrEqual(Math.min(certain, blocks.length));
      expect(damage.length, `cut at ${end}`).toBe(end === firstEnd ? 0 : 1);
    }
  });

  it.each([
    ['events.gz', []],
    ['events.gz', [0x1f]],
    ['events.zst', []],
    ['events.zst', [0x28, 0xb5]],
  ])('inside the first bytes of %s is seen by its name: %j', async (name, bytes) => {
    expect((await read(Buffer.from(bytes), { name })).damage).toHaveLength(1);
    expect((await read(Buffer.from(bytes), { name: 'events' })).damage).toHaveLength(0);
  });
});

describe('corruption', () => {
  // zlib drops up to a whole output buffer made in the call that fails: everything, for a file of this size.
  it.each([
    ['a second reading', true],
    ['a second decompressor', false],
  ])('costs no byte before it, by %s', async (_, reopens) => {
    for (const at of [1200, GZIP.length - 30]) {
      const broken = Buffer.from(GZIP);
      // Bytes of all ones soon name a distance or code that is none.
      broken.fill(0xff, at, at + 12);
      const { bytes, damage } = await read(broken, { reopens });
      const certain = zlib.inflateRawSync(GZIP.subarray(10, at), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
      expect(bytes.subarray(0, certain.length).equals(certain), `broken at ${at}`).toBe(true);
      expect(damage).toHaveLength(1);
      const place = Number(/byte (\d+)/.exec(damage[0] as string)?.[1]);
      expect(place).toBeGreaterThanOrEqual(at - 1);
      expect(place).toBeLessThan(at + 300);
    }
  });

  it.each([
    ['gzip', GZIP],
    ['zstd', ZSTD],
  ])('in any byte of %s gives the same bytes or is told', async (_, sound) => {
    for (let at = 0; at < sound.length; at += at < 40 || at > sound.length - 20 ? 1 : 101) {
      const broken = Buffer.from(sound);
      broken[at] = (broken[at] as number) ^ (1 << (at & 7));
      const { bytes, damage } = await read(broken);
      const isPlain = bytes.equals(broken);
      if (damage.length === 0 && !isPlain) expect(bytes.equals(TEXT), `byte ${at}`).toBe(true);
      expect(damage.length).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    ['gzip', Buffer.concat([GZIP, Buffer.from('garbage')])],
    ['gzip with padding', Buffer.concat([GZIP, Buffer.alloc(20), Buffer.from('garbage')])],
    ['zstd', Buffer.concat([ZSTD, Buffer.from('garbage')])],
    ['zstd with zeros', Buffer.concat([ZSTD, Buffer.alloc(8)])],
  ])('behind the end of %s costs nothing before it', async (_, input) => {
    for (const reopens of [true, false]) {
      const { bytes, damage } = await read(input, { reopens });
      expect(bytes.equals(TEXT)).toBe(true);
      expect(damage).toHaveLength(1);
    }
  });
});

describe('a file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'open-stream-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is read again where it is corrupt', async () => {
    const path = join(folder, 'events.gz');
    const large = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `line ${i} ${(i * 7919) % 100_003}`).join('\n'));
    const broken = zlib.gzipSync(large);
    const at = broken.length - 2000;
    broken.fill(0xff, at, at + 12);
    await writeFile(path, broken);
    const { bytes, damage } = await collect(openDecompressed(createReadStream(path, { highWaterMark: 100_000 }), path));
    const certain = zlib.inflateRawSync(broken.subarray(10, at), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    expect(broken.length).toBeGreaterThan(150_000);
    expect(bytes.subarray(0, certain.length).equals(large.subarray(0, certain.length))).toBe(true);
    expect(damage).toHaveLength(1);
  });

  it('that does not exist throws', async () => {
    await expect(collect(openDecompressed(createReadStream(join(folder, 'absent')), 'absent'))).rejects.toThrow(/ENOENT/);
  });
});
