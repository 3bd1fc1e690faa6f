import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Settings } from '../config/settings.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { SchemaRegistry } from '../sources/registry/schema-registry.ts';

/** The schema registry of the settings. `subjects`: whose schemas messages without an id may have been written with. */
export function openRegistry({ url, username, password, password_file, ca }: Settings['registry'], subjects: readonly string[] = []): SchemaRegistry {
  if (url === undefined) {
    throw new AdvertiseXError(
      'config_invalid',
      'No schema registry is set: registry.url has no value',
      'Set registry.url in advertisex.yaml, or ADVERTISEX_REGISTRY_URL, to the address of its API, like http://registry.example:8081.',
    );
  }
  return new SchemaRegistry({
    url,
    username,
    password: password ?? (password_file === undefined ? undefined : readPassword(password_file)),
    subjects,
    ca: ca === undefined ? undefined : readAuthorities(ca),
  });
}

/** Where the schemas of a topic's values are registered, as Confluent's clients do it. */
export function subjectOf(topic: string): string {
  return `${topic}-value`;
}

/** Its last line end is none of it. */
function readPassword(path: string): string {
  try {
    const password = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (password === '') throw new Error('it is empty');
    return password;
  } catch (cause) {
    throw new AdvertiseXError(
      'config_invalid',
      `The password in ${path} cannot be read: ${(cause as Error).message}`,
      'Correct registry.password_file, or the file: it holds the password and nothing else.',
      cause,
    );
  }
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
