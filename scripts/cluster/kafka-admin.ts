import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';

const EVERYTHING = [ResourceTypes.TOPIC, ResourceTypes.GROUP, ResourceTypes.TRANSACTIONAL_ID];

/** Throws unless a broker is there, and takes consumers. */
export async function requireBroker(brokers: string): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const metadata = await admin.metadata({ topics: [] });
    if (metadata.brokers.size === 0) throw new Error('It names no broker');
    // The first one to ask for a group has the topic of offsets made; until it is there no consumer can join one.
    await admin.describeGroups({ groups: ['advertisex-cluster'] });
  });
}

/** To all topics, groups and transactions. */
export async function grantRights(brokers: string, principals: readonly string[]): Promise<void> {
  const creations = principals.flatMap((principal) =>
    EVERYTHING.map((resourceType) => ({
      resourceType,
      resourceName: '*',
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal,
      host: '*',
      operation: AclOperations.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    })),
  );
  await withAdmin(brokers, (admin) => admin.createAcls({ creations }));
}

async function withAdmin(brokers: string, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = new Admin({ clientId: 'advertisex-cluster', bootstrapBrokers: [brokers], retries: 0, connectTimeout: 1_000, requestTimeout: 5_000 });
  try {
    await work(admin);
  } finally {
    await admin.close();
  }
}
