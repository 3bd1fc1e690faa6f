import { Admin } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import type { KafkaClientOptions } from '../../src/sources/kafka/client-options.ts';
import { cluster, optionsOf, PLAIN, TLS } from './kafka-settings.ts';
import { consumeTexts, makeTopic, produceTexts } from './kafka-topic.ts';

const { user, powerless, loginBrokers, certificateBrokers } = cluster.kafka;
const { client, stranger, strangeAuthority } = cluster.certificates;

type KafkaSettings = Parameters<typeof optionsOf>[0];

const scram: KafkaSettings = { ...TLS, brokers: [loginBrokers], sasl_mechanism: 'scram-sha-512', username: user.username };
const plain: KafkaSettings = { ...scram, sasl_mechanism: 'plain' };
const certified: KafkaSettings = { ...TLS, brokers: [certificateBrokers], certificate: client.certificate, private_key: client.key };

/** Every message of a failure, and of what caused it. */
async function failure(options: KafkaClientOptions): Promise<string> {
  const admin = new Admin({ ...options, retries: 0, connectTimeout: 2_000, requestTimeout: 5_000 });
  try {
    await admin.listTopics();
  } catch (error) {
    return describeError(error as Error).join(' | ');
  } finally {
    await admin.close();
  }
  throw new Error('expected to be refused');
}

function describeError(error: Error): string[] {
  const inner = [...((error as AggregateError).errors ?? []), ...(error.cause === undefined ? [] : [error.cause])] as Error[];
  return [error.message, ...inner.flatMap(describeError)];
}

describe('Kafka', () => {
  it('keeps records in the order of their partition', async () => {
    const topic = await makeTopic(PLAIN);
    const texts = Array.from({ length: 500 }, (_, number) => `record ${number}`);
    await produceTexts(PLAIN, topic, texts);
    expect(await consumeTexts(PLAIN, topic, texts.length)).toEqual(texts);
  });

  it.each<[string, KafkaSettings, string | undefined]>([
    ['a password that goes over by SCRAM-SHA-512', scram, user.password],
    ['a password that goes over as it is', plain, user.password],
    ['a certificate', certified, undefined],
    ['a password, and a certificate besides', { ...scram, certificate: client.certificate, private_key: client.key }, user.password],
  ])('is written to and read from by TLS with %s', async (_name, settings, password) => {
    const options = await optionsOf(settings, password);
    const topic = await makeTopic(options);
    await produceTexts(options, topic, ['one', 'two']);
    expect(await consumeTexts(options, topic, 2)).toEqual(['one', 'two']);
  });

  it.each<[string, KafkaSettings, string | undefined, RegExp]>([
    ['a wrong password (SCRAM)', scram, 'wrong', /authentication/i],
    ['a wrong password (PLAIN)', plain, 'wrong', /authentication/i],
    ['an unknown user', { ...scram, username: 'nobody' }, user.password, /authentication/i],
    ['a mechanism that it does not have', { ...scram, sasl_mechanism: 'scram-sha-256' }, user.password, /SASL/],
    ['an authority that did not sign its certificate', { ...scram, ca: strangeAuthority }, user.password, /certificate/],
    ['a certificate that a stranger signed', { ...certified, certificate: stranger.certificate, private_key: stranger.key }, undefined, /./],
    ['no certificate', { ...TLS, brokers: [certificateBrokers] }, undefined, /./],
    ['an address that is not in its certificate', { ...scram, brokers: [loginBrokers.replace('localhost', '[::ffff:127.0.0.1]')] }, user.password, /altnames/],
  ])('refuses a client with %s', async (_name, settings, password, message) => {
    expect(await failure(await optionsOf(settings, password))).toMatch(message);
  });

  it('refuses what a user has no right to', async () => {
    const topic = await makeTopic(PLAIN);
    const options = await optionsOf({ ...scram, username: powerless.username }, powerless.password);
    await expect(produceTexts(options, topic, ['one'])).rejects.toThrow();
    await produceTexts(PLAIN, topic, ['two']);
    expect(await consumeTexts(PLAIN, topic, 1)).toEqual(['two']);
  });
});
