import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CODECS, writeAvro } from '../../test/encodings/avro-files.ts';
import { decodeAll, decodeStream, optionsFor, type Seen } from '../../test/encodings/decode-all.ts';
import { readRows } from '../../test/encodings/plain-csv-reading.ts';
import type { Encoding } from '../domain/feeds.ts';

/*
 * Every place a file can be cut at, and bits flipped all over it, in every encoding and compression. Always: no throw, every
 * record before the damage, one malformed record that tells it, and the file incomplete.
 */

const RECORDS = Array.from({ length: 24 }, (_, i) => ({ id: `id-${(i * 7919) % 1000}`, user: i % 5 === 0 ? 'żółć, "quoted"' : `user-${i}` }));
const SCHEMA = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'user', type: 'string' },
  ],
};

interface Sample {
  readonly name: string;
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
  /** Places at which a cut leaves a whole file: between lines, between blocks. */
  readonly cleanCuts: ReadonlySet<number>;
  /** Where each record ends. */
  readonly recordEnds: readonly number[];
}

const SAMPLES: readonly Sample[] = [
  textSample(
    'lines',
    'json',
    '',
    RECORDS.map((record) => JSON.stringify(record)),
    '\n',
  ),
  {
    ...textSample(
      'array',
      'json',
      '[',
      RECORDS.map((record) => JSON.stringify(record)),
      ',',
    ),
    cleanCuts: new Set([0]),
  },
  textSample(
    'rows',
    'csv',
    'id,user\n',
    RECORDS.map(({ id, user }) => `${id},"${user.replaceAll('"', '""')}"`),
    '\n',
  ),
  ...CODECS.map((codec): Sample => {
    const { bytes, ends } = writeAvro(SCHEMA, [RECORDS.slice(0, 10), RECORDS.slice(10, 11), RECORDS.slice(11)], codec);
    const [, first, second, third] = ends as [number, number, number, number];
    return {
      name: `${codec} blocks`,
      encoding: 'avro',
      bytes,
      cleanCuts: new Set(ends),
      recordEnds: RECORDS.map((_, i) => (i < 10 ? first : i < 11 ? second : third)),
    };
  }),
];

function textSample(name: string, encoding: Encoding, start: string, records: readonly string[], separator: string): Sample {
  let text = start;
  const cleanCuts = new Set([0]);
  const recordEnds = records.map((record) => {
    text += record;
    cleanCuts.add(Buffer.byteLength(text));
    const end = Buffer.byteLength(text);
    text += separator;
    cleanCuts.add(Buffer.byteLength(text));
    return end;
  });
  return { name, encoding, bytes: Buffer.from(separator === ',' ? `${text.slice(0, -1)}]` : text), cleanCuts, recordEnds };
}

function expectBefore(seen: Seen, whole: Seen, certain: number): void {
  expect(seen.records.length).toBeGreaterThanOrEqual(certain);
  expect(seen.records).toEqual(whole.records.slice(0, seen.records.length));
}

describe.each(SAMPLES)('$name of $encoding', ({ name, encoding, bytes, cleanCuts, recordEnds }) => {
  const whole = decodeAll(optionsFor(encoding), bytes);

  it('are whole to begin with', () => {
    expect(whole.records.map(({ id, user }) => [id?.[1], user?.[1]])).toEqual(RECORDS.map(({ id, user }) => [id, user]));
    expect(whole).toMatchObject({ malformed: [], complete: true });
  });

  it('are decoded up to a cut anywhere', () => {
    for (let end = 0; end < bytes.length; end++) {
      const seen = decodeAll(optionsFor(encoding), bytes.slice(0, end));
      const certain = recordEnds.filter((recordEnd) => recordEnd <= end).length;
      if (encoding === 'csv') {
        // A row that is cut behind its last delimiter, or between two quotes, is a row all the same: the plain reading says which.
        expect(seen.records.slice(0, certain)).toEqual(whole.records.slice(0, certain));
        expect({ outcomes: seen.outcomes, complete: seen.complete }).toEqual(readRows(bytes.slice(0, end)));
        expect(seen.malformed.length).toBe(seen.complete ? 0 : 1);
      } else {
        expectBefore(seen, whole, certain);
        const isClean = cleanCuts.has(end);
        expect({ end, malformed: seen.malformed.length, complete: seen.complete }).toEqual({ end, malformed: isClean ? 0 : 1, complete: isClean });
      }
    }
  });

  it('lose no more than the record or block in which a bit is flipped', () => {
    for (let at = 0; at < bytes.length; at++) {
      const flipped = new Uint8Array(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      const seen = decodeAll(optionsFor(encoding), flipped);
      // A text keeps its other records; a container keeps what came before.
      const touched = recordEnds.findIndex((end) => at <= end);
      const certain = encoding === 'avro' ? recordEnds.filter((end) => end <= at).length : Math.max(0, touched);
      if (at >= (encoding === 'csv' ? 8 : 1)) expect(seen.records.slice(0, certain), `byte ${at}`).toEqual(whole.records.slice(0, certain));
      if (name === 'lines' && at > 0)
        expect(seen.records.slice(touched + 2 - whole.records.length).at(-1), `byte ${at}`).toEqual(touched < 22 ? whole.records.at(-1) : seen.records.at(-1));
      if (!seen.complete) expect(seen.malformed.length, `byte ${at}`).toBeGreaterThanOrEqual(1);
    }
  });

  const compressions = {
    gzip: (text: Uint8Array) => zlib.gzipSync(text),
    zstd: (text: Uint8Array) => zlib.zstdCompressSync(text, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
  };

  it.each(['gzip', 'zstd'] as const)('compressed with %s are decoded up to a cut, and a flipped bit is told', async (compression) => {
    const half = Math.floor(bytes.length / 2);
    const parts = [bytes.slice(0, half), bytes.slice(half)].map(compressions[compression]);
    const sound = Buffer.concat(parts);
    const firstEnd = (parts[0] as Buffer).length;
    const certainOf = (end: number) => recordEnds.filter((recordEnd) => recordEnd < (end >= firstEnd ? half : 0)).length;
    for (let at = 1; at < sound.length; at += at < 24 || at > sound.length - 16 ? 1 : 41) {
      const cut = await decodeStream(optionsFor(encoding), sound.subarray(0, at), `x.${compression === 'gzip' ? 'gz' : 'zst'}`, 50, true);
      expectBefore(cut, whole, certainOf(at));
      expect({ at, complete: cut.complete, malformed: cut.malformed.length }).toEqual({ at, complete: false, malformed: 1 });

      const flipped = Buffer.from(sound);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      const seen = await decodeStream(optionsFor(encoding), flipped, 'x', 1 + at, at % 2 === 0);
      if (at >= firstEnd) expect(seen.records.slice(0, certainOf(at)), `byte ${at}`).toEqual(whole.records.slice(0, certainOf(at)));
      if (at >= 4 && seen.complete) expect(seen.records, `byte ${at}`).toEqual(whole.records);
      if (!seen.complete) expect(seen.malformed.length, `byte ${at}`).toBeGreaterThanOrEqual(1);
    }
  });
});
