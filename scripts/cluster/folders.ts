import { join } from 'node:path';

const CACHE = join(import.meta.dirname, '../../.cache/cluster');

/** Where things are; nothing is written outside of it, but for the caches that Maven and Go keep themselves. */
export const FOLDERS = {
  /** Programs as they were installed, a folder for each version. */
  installed: join(CACHE, 'installed'),
  /** Configuration and data of the services: begun anew by `cluster:up` where none of them runs. */
  run: join(CACHE, 'run'),
  logs: join(CACHE, 'logs'),
  /** What tests and people read: addresses, names, passwords, certificates, processes. */
  cluster: join(CACHE, 'cluster.json'),
} as const;
