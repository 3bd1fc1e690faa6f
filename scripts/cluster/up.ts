/** `npm run cluster:up`: the services that tests of transports run against, and where they are. `npm run cluster:up kafka`: that one alone. */
import { bringUp, readCluster, SERVICE_NAMES } from './cluster.ts';
import { FOLDERS } from './folders.ts';

try {
  const words = process.argv.slice(2);
  const unknown = words.find((word) => !SERVICE_NAMES.some((name) => name === word));
  if (unknown !== undefined) throw new Error(`There is no service ${unknown}: ${SERVICE_NAMES.join(', ')}`);
  const started = await bringUp(SERVICE_NAMES.filter((name) => words.length === 0 || words.includes(name)));
  const cluster = await readCluster();
  console.log(started.length === 0 ? 'All of it runs already.' : `Started: ${started.join(', ')}.`);
  console.log(`Kafka     ${cluster.kafka.brokers}, by TLS and login ${cluster.kafka.loginBrokers}, by certificate ${cluster.kafka.certificateBrokers}`);
  console.log(`Registry  ${cluster.registry.url}, by TLS and login ${cluster.registryDoor.url}`);
  console.log(`S3        ${cluster.s3.endpoint}`);
  console.log(`Names, passwords and certificates are in ${FOLDERS.cluster}, what the services say in ${FOLDERS.logs}. npm run cluster:down stops them.`);
} catch (error) {
  console.error((error as Error).message);
  console.error('What had been started still runs: npm run cluster:down stops it.');
  process.exitCode = 3;
}
