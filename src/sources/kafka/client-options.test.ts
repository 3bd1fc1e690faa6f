import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSelfSigned } from '../../../test/server/self-signed.ts';
import { settingsSchema } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { kafkaClientOptions } from './client-options.ts';

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-kafka-'));
  const [one, two] = [makeSelfSigned('one'), makeSelfSigned('two')];
  const files = { 'one.crt': one.certificate, 'one.key': one.key, 'two.key': two.key, password: 'sesame \n', empty: '\n', nonsense: 'nonsense' };
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const BROKERS = { brokers: ['kafka-1.example.com:9092', 'kafka-2.example.com:9092'] };
const LOGIN = { ...BROKERS, sasl_mechanism: 'scram-sha-512', username: 'alice' };

function options(kafka: object, environment: Record<string, string> = {}) {
  return kafkaClientOptions(settingsSchema.parse({ kafka }).kafka, environment);
}

async function refusal(kafka: object, environment: Record<string, string> = {}): Promise<string> {
  const error = await options(kafka, environment).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AdvertiseXError);
  expect((error as AdvertiseXError).code).toBe('config_invalid');
  expect((error as AdvertiseXError).remedy).not.toBe('');
  return (error as AdvertiseXError).message;
}

describe('kafkaClientOptions', () => {
  it('takes brokers alone as a plain connection', async () => {
    expect(await options(BROKERS)).toEqual({ clientId: 'advertisex', bootstrapBrokers: BROKERS.brokers });
  });

  it('reads certificates and key', async () => {
    const { tls } = await options({ ...BROKERS, tls: true, ca: path('one.crt'), certificate: path('one.crt'), private_key: path('one.key') });
    expect(String(tls?.ca)).toMatch(/^-----BEGIN CERTIFICATE/);
    expect(String(tls?.cert)).toBe(String(tls?.ca));
    expect(String(tls?.key)).toMatch(/PRIVATE KEY/);
  });

  it('names brokers in the TLS greeting, and never an address', async () => {
    expect(await options({ ...BROKERS, tls: true })).toMatchObject({ tls: {}, tlsServerName: true });
    expect(await options({ brokers: ['localhost:9093', '127.0.0.1:9093'], tls: true })).not.toHaveProperty('tlsServerName');
    expect(await options({ brokers: ['[::1]:9093'], tls: true })).not.toHaveProperty('tlsServerName');
  });

  it('takes the password from the environment, else from its file', async () => {
    const fromFile = { ...LOGIN, password_file: path('password') };
    expect((await options(fromFile)).sasl).toEqual({ mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'sesame ' });
    expect((await options(fromFile, { ADVERTISEX_KAFKA_PASSWORD: 'other' })).sasl?.password).toBe('other');
    expect((await options(fromFile, { ADVERTISEX_KAFKA_PASSWORD: '' })).sasl?.password).toBe('sesame ');
    expect((await options({ ...LOGIN, sasl_mechanism: 'plain' }, { ADVERTISEX_KAFKA_PASSWORD: 'other' })).sasl?.mechanism).toBe('PLAIN');
  });

  it('refuses what makes up no connection, or a less secure one than was meant', async () => {
    expect(await refusal({})).toBe('kafka.brokers names no broker');
    expect(await refusal({ ...BROKERS, ca: path('one.crt') })).toBe('kafka.ca is set, and kafka.tls is not');
    expect(await refusal({ ...BROKERS, tls: true, certificate: path('one.crt') })).toBe('kafka.certificate and kafka.private_key go together');
    expect(await refusal({ ...BROKERS, username: 'alice' })).toBe('kafka.username is set, and kafka.sasl_mechanism is not');
    expect(await refusal(BROKERS, { ADVERTISEX_KAFKA_PASSWORD: 'sesame' })).toBe('A password of kafka is given, and kafka.sasl_mechanism is not');
    expect(await refusal({ ...BROKERS, sasl_mechanism: 'plain' })).toBe('kafka.sasl_mechanism is set, and kafka.username is not');
    expect(await refusal(LOGIN)).toBe('The password of alice in Kafka is not there');
  });

  it('names the file that cannot be used, and says nothing of what is in it', async () => {
    expect(await refusal({ ...BROKERS, tls: true, ca: path('none') })).toMatch(/^kafka\.ca: .*none cannot be read: ENOENT/);
    expect(await refusal({ ...BROKERS, tls: true, ca: path('nonsense') })).toMatch(/^kafka\.ca: .*nonsense is not a PEM file$/);
    expect(await refusal({ ...BROKERS, tls: true, certificate: path('one.crt'), private_key: path('two.key') })).toMatch(
      /one\.crt, .*two\.key\) cannot be used: .*mismatch/,
    );
    expect(await refusal({ ...LOGIN, password_file: path('none') })).toMatch(/^kafka\.password_file: .*none cannot be read/);
    expect(await refusal({ ...LOGIN, password_file: path('empty') })).toMatch(/^kafka\.password_file: .*empty is empty$/);
  });
});
