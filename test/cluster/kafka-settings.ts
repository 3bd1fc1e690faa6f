import { readCluster } from '../../scripts/cluster/cluster.ts';
import { type Settings, settingsSchema } from '../../src/config/settings.ts';
import { type KafkaClientOptions, kafkaClientOptions } from '../../src/sources/kafka/client-options.ts';

export const cluster = await readCluster();

/** Options of a client as the product makes them of settings. */
export function optionsOf(settings: Partial<Settings['kafka']>, password?: string): Promise<KafkaClientOptions> {
  return kafkaClientOptions(settingsSchema.parse({ kafka: settings }).kafka, { ADVERTISEX_KAFKA_PASSWORD: password });
}

export const PLAIN = await optionsOf({ brokers: [cluster.kafka.brokers] });

/** By TLS, trusting the authority that signed the certificates of the services. */
export const TLS = { tls: true, ca: cluster.certificates.authority } as const;
