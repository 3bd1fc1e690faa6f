import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingsSchema } from '../config/settings.ts';
import { loadContracts } from '../contracts/load-contract.ts';
import type { Contracts } from '../staging/staged-tables.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { type MessageFormat, MessageStager } from './message-stager.ts';

const HOUR = 3_600_000_000;
const NOW = Date.UTC(2026, 2, 3) * 1_000;
const folder = mkdtempSync(join(tmpdir(), 'advertisex-messages-'));
let contracts: Contracts;
beforeAll(async () => {
  contracts = await loadContracts(join(import.meta.dirname, '../../contracts'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(format: MessageFormat = { encoding: 'json' }): MessageStager {
  const settings = settingsSchema.parse({});
  const rules = { nullSpellings: settings.normalising.null_spellings, timeZone: 'UTC' };
  const edge = {
    contracts,
    rules: { 'ad-impressions': rules },
    currency: 'USD',
    rates: [],
    reportingTimeZone: 'UTC',
    maxRecordBytes: 10_000,
  } as unknown as EdgeSettings;
  return new MessageStager({ feed: 'ad-impressions', format, edge, source: 'kafka:t', directory: folder, firstStageRow: 0 });
}

const FIELDS = { impression_id: 'i1', creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w', more: 'x' };
const AVRO_TYPE = avro.Type.forSchema({ type: 'record', name: 'Impression', fields: Object.keys(FIELDS).map((name) => ({ name, type: 'string' })) });
const AVRO = {
  schema: JSON.stringify(AVRO_TYPE.schema()),
  message: Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), AVRO_TYPE.toBuffer(FIELDS)]),
};

const text = (number: number) =>
  Buffer.from(JSON.stringify({ impression_id: `i${number}`, creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w' }));

describe('messages', () => {
  it('are counted by the partition that they came from', async () => {
    const stager = open();
    const messages = [
      { source: 'kafka:t/0@1', position: 7, value: text(1) },
      { source: 'kafka:t/1@1', position: 100, value: text(2) },
      { source: 'kafka:t/0@1', position: 9, value: null },
      { source: 'kafka:t/1@1', position: 101, value: Buffer.from('{') },
      { source: 'kafka:t/1@1', position: 102, value: text(3) },
    ];
    await stager.prepare(messages.flatMap(({ value }) => value ?? []));
    stager.stage(messages, NOW);
    expect(stager.records).toBe(5);
    const { chunks, records } = stager.flush();
    expect(records).toBe(5);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]).toMatchObject({ source: 'kafka:t', received: 5, quarantined: 2 });
    expect(chunks[0]?.parts).toEqual([
      { source: 'kafka:t/0@1', received: 2, quarantined: 1 },
      { source: 'kafka:t/1@1', received: 3, quarantined: 1 },
    ]);
    expect(stager.records).toBe(0);
    expect(stager.flush().chunks).toEqual([]);
  });

  it('of two hours of receipt are two chunks: the books are by the hour', () => {
    const stager = open();
    stager.stage([{ source: 'kafka:t/0@1', position: 0, value: text(1) }], NOW);
    stager.stage([{ source: 'kafka:t/0@1', position: 1, value: text(2) }], NOW + HOUR);
    const { chunks } = stager.flush();
    expect(chunks.map(({ receivedAtMicros, parts }) => [receivedAtMicros, parts])).toEqual([
      [NOW, [{ source: 'kafka:t/0@1', received: 1, quarantined: 0 }]],
      [NOW + HOUR, [{ source: 'kafka:t/0@1', received: 1, quarantined: 0 }]],
    ]);
  });

  it('more than a segment holds are told apart by the chunk that they are in', () => {
    const stager = open();
    const value = text(1);
    const count = 70_000;
    stager.stage(
      Array.from({ length: count }, (_, position) => ({ source: `kafka:t/${position % 2}@1`, position, value })),
      NOW,
    );
    const { chunks } = stager.flush();
    expect(chunks.length).toBeGreaterThan(1);
    for (const { received, parts } of chunks) expect(parts.reduce((sum, part) => sum + part.received, 0)).toBe(received);
    expect(chunks.reduce((sum, { received }) => sum + received, 0)).toBe(count);
  });

  it('that were prepared can be staged, whatever was flushed meanwhile; what no contract knows is counted once', async () => {
    const schemas = { byId: async () => ({ format: 'AVRO', text: AVRO.schema }), candidates: async () => [] };
    const stager = open({ encoding: 'avro', framing: 'confluent', schemas });
    for (let position = 0; position < 2; position++) {
      await stager.prepare([AVRO.message]);
      stager.flush();
      stager.stage([{ source: 'kafka:t/0@1', position, value: AVRO.message }], NOW);
      const { chunks, unknownFields } = stager.flush();
      expect(chunks).toMatchObject([{ received: 1, quarantined: 0 }]);
      expect([...unknownFields]).toEqual([['more', 1]]);
    }
  });

  it('are documents by themselves in quarantine', async () => {
    const stager = open();
    expect(Buffer.from((await stager.rawOf(text(1))).raw).toString()).toBe(text(1).toString());
    expect((await stager.rawOf(undefined)).raw).toHaveLength(0);
  });
});
