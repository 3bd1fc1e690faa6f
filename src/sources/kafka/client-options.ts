import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Environment, readSecret } from '../../config/secrets.ts';
import type { Settings } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';

type KafkaSettings = Settings['kafka'];

/** How a client of Kafka connects and says who it is: a part of the options of every client of `@platformatic/kafka`. */
export interface KafkaClientOptions {
  readonly clientId: string;
  readonly bootstrapBrokers: string[];
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** The name is sent in the TLS greeting: brokers behind one address are told apart by it. An IP address must not be sent. */
  readonly tlsServerName?: true;
  readonly sasl?: { readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; readonly username: string; readonly password: string };
}

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;

/** The settings as the client takes them, with what their files hold. Throws `config_invalid` where they do not make up a connection. */
export async function kafkaClientOptions(settings: KafkaSettings, environment: Environment): Promise<KafkaClientOptions> {
  if (settings.brokers.length === 0)
    throw invalid('kafka.brokers names no broker', 'Set kafka.brokers to one or more addresses, like [kafka-1.example.com:9092].');
  const tls = await readTls(settings);
  const sasl = await readSasl(settings, environment);
  return {
    clientId: settings.client_id,
    bootstrapBrokers: [...settings.brokers],
    ...(tls === undefined ? {} : { tls }),
    ...(tls === undefined || settings.brokers.some(isAddress) ? {} : { tlsServerName: true as const }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

async function readTls(settings: KafkaSettings): Promise<KafkaClientOptions['tls']> {
  const { ca, certificate, private_key } = settings;
  if (!settings.tls) {
    // Whoever names a certificate expects that nothing goes over the network as it is.
    const named = (['ca', 'certificate', 'private_key'] as const).find((key) => settings[key] !== undefined);
    if (named !== undefined) throw invalid(`kafka.${named} is set, and kafka.tls is not`, `Set kafka.tls to true, or take kafka.${named} out.`);
    return undefined;
  }
  if ((certificate === undefined) !== (private_key === undefined)) throw invalid('kafka.certificate and kafka.private_key go together', 'Set both, or none.');
  const tls = {
    ...(ca === undefined ? {} : { ca: await readPem('kafka.ca', ca) }),
    ...(certificate === undefined ? {} : { cert: await readPem('kafka.certificate', certificate) }),
    ...(private_key === undefined ? {} : { key: await readPem('kafka.private_key', private_key) }),
  };
  try {
    createSecureContext(tls);
  } catch (cause) {
    const files = [ca, certificate, private_key].filter((path) => path !== undefined).join(', ');
    throw invalid(
      `The certificates and the key of kafka (${files}) cannot be used: ${(cause as Error).message}`,
      'Give PEM files, and a certificate with its own key.',
      cause,
    );
  }
  return tls;
}

async function readPem(setting: string, path: string): Promise<Buffer> {
  let pem: Buffer;
  try {
    pem = await readFile(path);
  } catch (cause) {
    throw invalid(`${setting}: ${path} cannot be read: ${(cause as Error).message}`, `Correct ${setting}, or the file.`, cause);
  }
  // A file of authorities without one in it is taken without a word, and every broker is then refused.
  if (!pem.includes('-----BEGIN '))
    throw invalid(`${setting}: ${path} is not a PEM file`, 'Give a file that begins with a line like -----BEGIN CERTIFICATE-----.');
  return pem;
}

async function readSasl(settings: KafkaSettings, environment: Environment): Promise<KafkaClientOptions['sasl']> {
  const { sasl_mechanism: mechanism, username, password_file } = settings;
  const password = await readSecret(environment, 'ADVERTISEX_KAFKA_PASSWORD', 'kafka.password_file', password_file);
  if (mechanism === undefined) {
    if (username === undefined && password === undefined) return undefined;
    const given = username === undefined ? 'A password of kafka is given' : 'kafka.username is set';
    throw invalid(`${given}, and kafka.sasl_mechanism is not`, `Set kafka.sasl_mechanism to one that the brokers take: ${Object.keys(MECHANISMS).join(', ')}.`);
  }
  if (username === undefined) throw invalid('kafka.sasl_mechanism is set, and kafka.username is not', 'Set kafka.username.');
  if (password === undefined) {
    throw invalid(
      `The password of ${username} in Kafka is not there`,
      'Set ADVERTISEX_KAFKA_PASSWORD, or kafka.password_file to a file that holds it. It cannot stand in the settings file.',
    );
  }
  return { mechanism: MECHANISMS[mechanism], username, password };
}

function isAddress(broker: string): boolean {
  return broker.startsWith('[') || isIP(broker.slice(0, broker.lastIndexOf(':'))) !== 0;
}

function invalid(message: string, next: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError('config_invalid', message, next, cause);
}
