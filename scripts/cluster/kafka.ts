import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CERTIFIED_CLIENT, type Certificates, writeKeystore } from './certificates.ts';
import { copyDependencies, installed, runTool } from './install.ts';
import { grantRights, requireBroker } from './kafka-admin.ts';
import type { Service, ServicePlace } from './service.ts';

export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

export interface KafkaAccess {
  /** Without TLS and login; whoever comes this way may do everything. */
  readonly brokers: string;
  /** TLS, and a login by SCRAM-SHA-512 or PLAIN. A client may have a certificate, and one of a stranger is refused. */
  readonly loginBrokers: string;
  /** TLS with a certificate of the client, by which it is known. */
  readonly certificateBrokers: string;
  readonly controllerPort: number;
  /** May write to and read from every topic, in every group and transaction. */
  readonly user: KafkaUser;
  /** May log in, and do nothing. */
  readonly powerless: KafkaUser;
}

const VERSION = '4.3.1';

/** Apache Kafka: one node that is broker and controller. */
export const kafka: Service<KafkaAccess> = {
  ports: 4,
  install: () => installed(`kafka-${VERSION}`, (folder) => copyDependencies(join(import.meta.dirname, 'kafka/pom.xml'), folder)),

  access: ([plain, login, certificate, controllerPort]) => ({
    brokers: `127.0.0.1:${plain}`,
    loginBrokers: `localhost:${login}`,
    certificateBrokers: `localhost:${certificate}`,
    controllerPort: controllerPort as number,
    user: { username: 'advertisex', password: randomBytes(12).toString('hex') },
    powerless: { username: 'powerless', password: randomBytes(12).toString('hex') },
  }),

  async prepare(place, access, certificates) {
    await mkdir(place.folder, { recursive: true });
    const { certificate, key } = certificates.server;
    await writeKeystore(keystoreOf(place), await readFile(key, 'utf8'), await readFile(certificate, 'utf8'));
    await writeFile(propertiesOf(place), properties(place, access, certificates), { mode: 0o600 });
    if (existsSync(dataOf(place))) return;
    const users = [access.user, access.powerless].flatMap((user) => ['--add-scram', `SCRAM-SHA-512=[name=${user.username},password=${user.password}]`]);
    const id = randomBytes(16).toString('base64url');
    const words = [...java(place, '-Xmx128m'), 'kafka.tools.StorageTool', 'format', '--cluster-id', id, '--config', propertiesOf(place), ...users];
    await runTool('java', words, { need: 'Java 17 or later' });
  },

  command: (place) => ({ program: 'java', words: [...java(place, '-Xmx512m'), 'kafka.Kafka', propertiesOf(place)] }),

  async check({ brokers, user }) {
    await requireBroker(brokers);
    await grantRights(brokers, [`User:${user.username}`, `User:${CERTIFIED_CLIENT}`]);
  },
};

const dataOf = ({ folder }: ServicePlace) => join(folder, 'data');
const propertiesOf = ({ folder }: ServicePlace) => join(folder, 'server.properties');
const keystoreOf = ({ folder }: ServicePlace) => join(folder, 'keystore.pem');

function java({ program }: ServicePlace, heap: string): string[] {
  return [heap, `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'kafka/log4j2.properties')}`, '-cp', join(program, '*')];
}

function properties(place: ServicePlace, access: KafkaAccess, certificates: Certificates): string {
  const { brokers, loginBrokers, certificateBrokers, controllerPort, user } = access;
  const port = (address: string) => address.split(':').at(-1);
  const security = 'org.apache.kafka.common.security';
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://${brokers},SASL_SSL://127.0.0.1:${port(loginBrokers)},SSL://127.0.0.1:${port(certificateBrokers)},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://${brokers},SASL_SSL://${loginBrokers},SSL://${certificateBrokers}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
log.dirs=${dataOf(place)}

# One node, small topics of its own, and nothing to wait for.
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false

sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=${security}.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=${security}.plain.PlainLoginModule required user_${user.username}="${user.password}";
ssl.keystore.type=PEM
ssl.keystore.location=${keystoreOf(place)}
ssl.truststore.type=PEM
ssl.truststore.location=${certificates.authority}
listener.name.sasl_ssl.ssl.client.auth=requested
listener.name.ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/

authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
`;
}
