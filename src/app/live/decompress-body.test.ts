import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompressBody } from './decompress-body.ts';

const text = Buffer.from('{"a":1}\n'.repeat(50_000));
const SKIPPED = Buffer.from('502a4d1804000000616e79aa', 'hex');

it.each([
  ['plain', text],
  ['gzip', gzipSync(text)],
  ['gzip, in several members', Buffer.concat([gzipSync(text.subarray(0, 1_000)), gzipSync(text.subarray(1_000))])],
  ['zstd', zstdCompressSync(text)],
  ['zstd, in several frames', Buffer.concat([zstdCompressSync(text.subarray(0, 1_000)), zstdCompressSync(text.subarray(1_000))])],
  ['zstd, behind a frame that is to be skipped', Buffer.concat([SKIPPED, zstdCompressSync(text)])],
])('%s gives what was compressed, up to the limit', async (_name, body) => {
  expect(Buffer.from(await decompressBody(body, text.length)).equals(text)).toBe(true);
  await expect(decompressBody(body, text.length - 1)).rejects.toMatchObject({ code: 'body_too_large' });
});

it('does not decompress twice', async () => {
  const inner = gzipSync(Buffer.alloc(100_000));
  expect(Buffer.from(await decompressBody(gzipSync(inner), 10_000)).equals(inner)).toBe(true);
});

it.each([
  ['cut gzip', gzipSync(text).subarray(0, 200)],
  ['cut zstd', zstdCompressSync(text).subarray(0, 20)],
  ['a gzip member that is none', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(100, 7)])],
  ['a zstd frame that is none', Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(100, 7)])],
])('%s is refused whole', async (_name, body) => {
  await expect(decompressBody(body, 1_000_000)).rejects.toMatchObject({ code: 'body_damaged' });
});

it('what is plain is given as it is', async () => {
  for (const body of [Buffer.from('{'), Buffer.alloc(0)]) expect(Buffer.from(await decompressBody(body, text.length))).toEqual(body);
  expect(await decompressBody(text, text.length, () => expect.unreachable())).toBe(text);
});

describe('memory', () => {
  it('is asked for before it is taken, piece by piece', async () => {
    let held = 0;
    await decompressBody(gzipSync(text), text.length, (bytes) => {
      held += bytes;
    });
    expect(held).toBe(text.length);
  });

  it('that there is none of ends it there, with what was said', async () => {
    let held = 0;
    const hold = (bytes: number) => {
      held += bytes;
      if (held > 1_000_000) throw new RangeError('no more');
    };
    await expect(decompressBody(gzipSync(Buffer.alloc(50_000_000)), 60_000_000, hold)).rejects.toThrow('no more');
    expect(held).toBeLessThan(1_500_000);
  });
});
