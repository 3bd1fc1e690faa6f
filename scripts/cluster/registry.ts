import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyArtifact, installed, unpackArchives } from './install.ts';
import type { Service } from './service.ts';

export interface RegistryAccess {
  /** Of the API of Confluent's schema registry. */
  readonly url: string;
}

export const REGISTRY_VERSION = '3.0.9';

/** Apicurio Registry. Schemas are kept in a file: it has them again after a restart. */
export const registry: Service<RegistryAccess> = {
  ports: 1,

  install: () =>
    installed(`apicurio-registry-${REGISTRY_VERSION}`, async (folder) => {
      await copyArtifact(`io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`, folder);
      await unpackArchives(folder);
    }),

  access: ([port]) => ({ url: `http://127.0.0.1:${port}/apis/ccompat/v7` }),

  async prepare({ folder }) {
    await mkdir(join(folder, 'data'), { recursive: true });
  },

  command: ({ program, folder }, { url }) => ({
    program: 'java',
    words: [
      '-Xmx384m',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${new URL(url).port}`,
      '-Dquarkus.management.enabled=false',
      '-jar',
      join(program, `apicurio-registry-app-${REGISTRY_VERSION}-runner.jar`),
    ],
    environment: {
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'h2',
      // What is answered is on disk, also when it is killed a moment later.
      APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(folder, 'data/registry')};WRITE_DELAY=0`,
    },
  }),

  async check({ url }) {
    const { status } = await fetch(`${url}/subjects`);
    if (status !== 200) throw new Error(`It answers ${status}`);
  },
};
