import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import type { Service, ServicePlace } from './service.ts';

export interface RegistryDoorAccess {
  /** The same as the registry's own, by TLS and for one user. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** What `registry-door-server.ts` is told. */
export interface DoorConfiguration {
  readonly port: number;
  readonly target: string;
  readonly username: string;
  readonly password: string;
  readonly certificate: string;
  readonly key: string;
}

/** TLS and a login in front of the registry, as a proxy has them that stands before one in production. Apicurio by itself wants an identity provider for that. */
export function registryDoor(target: () => Promise<string>): Service<RegistryDoorAccess> {
  return {
    ports: 1,
    install: async () => import.meta.dirname,

    access: ([port]) => ({ url: `https://localhost:${port}/apis/ccompat/v7`, username: 'advertisex', password: randomBytes(12).toString('hex') }),

    async prepare(place, { url, username, password }, { server }: Certificates) {
      const configuration: DoorConfiguration = { port: Number(new URL(url).port), target: await target(), username, password, ...server };
      await mkdir(place.folder, { recursive: true });
      await writeFile(configurationOf(place), JSON.stringify(configuration), { mode: 0o600 });
    },

    command: (place) => ({ program: process.execPath, words: [join(place.program, 'registry-door-server.ts'), configurationOf(place)] }),

    /** Nobody is let in without a name, whether the registry is there or not. */
    check: async ({ url }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      request(url, { rejectUnauthorized: false, timeout: 2_000 }, (answer) => {
        answer.resume();
        if (answer.statusCode === 401) resolve();
        else reject(new Error(`It answers ${answer.statusCode}`));
      })
        .on('error', reject)
        .end();
      return promise;
    },
  };
}

const configurationOf = ({ folder }: ServicePlace) => join(folder, 'door.json');
