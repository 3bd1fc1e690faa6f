import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, stopService } from '../../scripts/cluster/cluster.ts';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { bufferHost } from '../command-line/buffer-host.ts';
import { cluster, PLAIN, TLS } from './kafka-settings.ts';
import { consume, consumeTexts, countRecords, makeTopic } from './kafka-topic.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-produce-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function produce(words: readonly string[], environment: Record<string, string> = {}, signal = new AbortController().signal) {
  const host = bufferHost({ workingDirectory: folder, signal, environment: { ADVERTISEX_KAFKA_BROKERS: `[${cluster.kafka.brokers}]`, ...environment } });
  const code = await runCommandLine(['produce', ...words, '--format', 'json'], host);
  return { code, result: host.out() === '' ? undefined : JSON.parse(host.out()), err: host.err() };
}

function containerOf(type: avro.Type, records: readonly object[]): Promise<Buffer> {
  const encoder = new avro.streams.BlockEncoder(type);
  for (const record of records) encoder.write(record);
  encoder.end();
  return buffer(encoder);
}

const impression = (user: string, number: number) =>
  JSON.stringify({ creative_id: 'cr-1', user_id: user, timestamp: 1773480413589 + number, website: 'a.example' });

describe('advertisex produce', () => {
  it('sends JSON objects as they stand in the file, keyed by user, those of a user in their order in one partition', async () => {
    const topic = await makeTopic(PLAIN, 4);
    const records = Array.from({ length: 2_000 }, (_, number) => impression(`u-${number % 50}`, number));
    const { code, result } = await produce(['ad-impressions', write('a.jsonl.gz', gzipSync(records.join('\n'))), '--topic', topic]);
    expect({ code, ...result, files: undefined, seconds: undefined }).toEqual({ code: 0, topic, partitions: 4, sent: 2_000, leftOut: 0 });
    const messages = await consume(PLAIN, topic, records.length);
    expect(messages.map(({ value }) => value.toString()).sort()).toEqual([...records].sort());
    const partitionsOf = new Map<string, Set<number>>();
    for (const { key, value, partition } of messages) {
      expect(key.toString()).toBe(JSON.parse(value.toString()).user_id);
      partitionsOf.set(key.toString(), (partitionsOf.get(key.toString()) ?? new Set()).add(partition));
    }
    expect([...partitionsOf.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set(messages.map(({ partition }) => partition)).size).toBe(4);
    const ofOne = messages.filter(({ key }) => key.toString() === 'u-7').map(({ value }) => value.toString());
    expect(ofOne).toEqual(records.filter((record) => record.includes('"u-7"')));
  });

  const CSV =
    'user_id;timestamp;unknown;conversion_type;campaign_id\nu-1;2026-03-01T00:00:00Z;x;"a ""b"", c";7\n"u-2";2026-03-01T00:00:01Z;y;click;8\nu-3;too few\n';

  it("sends rows of CSV with the contract's columns, or as they stand in the file", async () => {
    const path = write('clicks.csv', CSV);
    const [contract, file] = [await makeTopic(PLAIN), await makeTopic(PLAIN)];
    await produce(['clicks-conversions', path, '--delimiter', ';', '--topic', contract]);
    const [first = '', second = '', third] = await consumeTexts(PLAIN, contract, 3);
    expect([first, second].map((row) => row.replace(/,+$/, ''))).toEqual(['2026-03-01T00:00:00Z,u-1,7,"a ""b"", c"', '2026-03-01T00:00:01Z,u-2,8,click']);
    expect(third).toBe('u-3;too few');
    await produce(['clicks-conversions', path, '--delimiter', ';', '--topic', file, '--columns', 'file']);
    expect(await consumeTexts(PLAIN, file, 3)).toEqual(CSV.trimEnd().split('\n').slice(1));
  });

  it('sends Avro records with the schema they were written with, registered by TLS and a password', async () => {
    const topic = await makeTopic(PLAIN);
    const { registry, registryDoor, certificates } = cluster;
    const type = avro.Type.forSchema({
      type: 'record',
      name: 'Bid',
      fields: [
        { name: 'timestamp', type: 'long' },
        { name: 'auction', type: { type: 'record', name: 'Auction', fields: ['user_id', 'space_id', 'amount'].map((name) => ({ name, type: 'string' })) } },
      ],
    });
    const bids = ['u-1', 'u-2'].map((user_id, number) => ({ timestamp: 1773480413589 + number, auction: { user_id, space_id: 's', amount: '1.5' } }));
    const path = write('bids.avro', await containerOf(type, bids));
    const words = ['bid-requests', path, '--topic', topic];
    const secure = {
      ADVERTISEX_REGISTRY_URL: registryDoor.url,
      ADVERTISEX_REGISTRY_CA: certificates.authority,
      ADVERTISEX_REGISTRY_USERNAME: registryDoor.username,
    };

    expect(await produce(words)).toMatchObject({ code: 2, err: expect.stringMatching(/registry\.url/) });
    const wrong = await produce(words, { ...secure, ADVERTISEX_REGISTRY_PASSWORD: 'not-the-password' });
    expect(wrong).toMatchObject({ code: 3, err: expect.stringMatching(/registry_failed/) });
    expect(wrong.err).not.toMatch(/not-the-password/);
    expect((await produce(words, { ...secure, ADVERTISEX_REGISTRY_PASSWORD: registryDoor.password })).result).toMatchObject({ sent: 2, leftOut: 0 });

    const messages = await consume(PLAIN, topic, 2);
    expect(messages.map(({ key }) => key.toString())).toEqual(['u-1', 'u-2']);
    expect(await countRecords(PLAIN, topic)).toBe(2);
    const { id, schema } = (await (await fetch(`${registry.url}/subjects/${topic}-value/versions/latest`)).json()) as { id: number; schema: string };
    for (const [number, { value }] of messages.entries()) {
      expect([value[0], value.readUInt32BE(1)]).toEqual([0, id]);
      expect(JSON.parse(JSON.stringify(avro.Type.forSchema(JSON.parse(schema)).fromBuffer(value.subarray(5))))).toEqual(bids[number]);
    }
  });

  it('makes the topic only where it is told to', async () => {
    const path = write('one.json', impression('u-1', 1));
    const topic = `test-${randomUUID()}`;
    const refused = await produce(['ad-impressions', path, '--topic', topic]);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/Kafka has no topic test-/);
    expect((await produce(['ad-impressions', path, '--topic', topic, '--partitions', '3'])).result).toMatchObject({ partitions: 3, sent: 1 });
  });

  it('keeps to a rate', async () => {
    const topic = await makeTopic(PLAIN);
    const path = write('slow.jsonl', Array.from({ length: 400 }, (_, number) => impression('u', number)).join('\n'));
    const { result } = await produce(['ad-impressions', path, '--topic', topic, '--rate', '200']);
    expect(result.sent).toBe(400);
    expect(result.seconds).toBeGreaterThan(1.5);
    expect(result.seconds).toBeLessThan(4);
  });

  it('stops when it is told to, and says that it begins anew', async () => {
    const topic = await makeTopic(PLAIN);
    const path = write('stopped.jsonl', Array.from({ length: 400 }, (_, number) => impression('u', number)).join('\n'));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const began = performance.now();
    const { code, err } = await produce(['ad-impressions', path, '--topic', topic, '--rate', '10'], {}, stop.signal);
    expect({ code, err }).toEqual({ code: 3, err: expect.stringMatching(/interrupted/) });
    expect(err).toMatch(/first record/);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('logs in, and says what is wrong where it cannot', async () => {
    const topic = await makeTopic(PLAIN);
    const path = write('one.json', impression('u-1', 1));
    const login = {
      ADVERTISEX_KAFKA_BROKERS: `[${cluster.kafka.loginBrokers}]`,
      ADVERTISEX_KAFKA_TLS: 'true',
      ADVERTISEX_KAFKA_CA: TLS.ca,
      ADVERTISEX_KAFKA_SASL_MECHANISM: 'scram-sha-512',
      ADVERTISEX_KAFKA_USERNAME: cluster.kafka.user.username,
    };
    const words = ['ad-impressions', path, '--topic', topic];
    expect((await produce(words, { ...login, ADVERTISEX_KAFKA_PASSWORD: cluster.kafka.user.password })).code).toBe(0);
    const wrong = await produce(words, { ...login, ADVERTISEX_KAFKA_PASSWORD: 'not-the-password' });
    expect(wrong.code).toBe(3);
    expect(wrong.err).toMatch(/kafka_failed/);
    expect(wrong.err).toMatch(/the password/);
    expect(wrong.err).not.toMatch(/not-the-password/);
    const plain = await produce(words, { ...login, ADVERTISEX_KAFKA_TLS: 'false', ADVERTISEX_KAFKA_CA: '', ADVERTISEX_KAFKA_PASSWORD: 'x' });
    expect(plain.code).toBeGreaterThan(1);
    expect(await consumeTexts(PLAIN, topic, 1)).toEqual([impression('u-1', 1)]);
  });

  it('sends each record once where the broker is killed meanwhile and comes back', async () => {
    const topic = await makeTopic(PLAIN, 2);
    const records = Array.from({ length: 60_000 }, (_, number) => impression(`u-${number % 997}`, number));
    const producing = produce(['ad-impressions', write('long.jsonl', records.join('\n')), '--topic', topic, '--rate', '15000']);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await stopService('kafka', 'SIGKILL');
    await startService('kafka');
    expect((await producing).result).toMatchObject({ sent: records.length });
    const found = (await consumeTexts(PLAIN, topic, records.length)).sort();
    expect(found).toEqual([...records].sort());
    expect(await countRecords(PLAIN, topic)).toBe(records.length);
  });
});
