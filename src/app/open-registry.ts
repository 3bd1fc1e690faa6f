import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Settings } from '../config/settings.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { SchemaRegistry } from '../sources/registry/schema-registry.ts';

/** The schema registry of the settings. `subjects`: whose schemas messages without an id may have been written with. */
export function openRegistry({ url, username, password, ca }: Settings['registry'], subjects: readonly string[] = []): SchemaRegistry {
  if (url === undefined) {
    throw new AdvertiseXError(
      'config_invalid',
      'No schema registry is set: registry.url has no value',
      'Set registry.url in advertisex.yaml, or ADVERTISEX_REGISTRY_URL, to the address of its API, like http://registry.example:8081.',
    );
  }
  return new SchemaRegistry({ url, username, password, subjects, ca: ca === undefined ? undefined : readAuthorities(ca) });
}

function readAuthorities(path: string): string {
  try {
    const ca = readFileSync(path, 'utf8');
    createSecureContext({ ca });
    if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw new Error('there is no certificate in it');
    return ca;
  } catch (cause) {
    throw new AdvertiseXError(
      'config_invalid',
      `The certificates in ${path} cannot be used: ${(cause as Error).message}`,
      'Correct registry.ca, or the file: it holds certificates in PEM.',
      cause,
    );
  }
}
