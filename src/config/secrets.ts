import { readFile } from 'node:fs/promises';
import { AdvertiseXError } from '../domain/errors.ts';

/** What a settings file must not hold: it is in the environment, under one of these names, or in a file of its own that a setting names. */
export const SECRET_VARIABLES = ['ADVERTISEX_KAFKA_PASSWORD'] as const;
export type SecretVariable = (typeof SECRET_VARIABLES)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

/** A secret: of the environment, which wins as it does for settings, else of the file, whose last line end is none of it. Undefined where neither is there. */
export async function readSecret(environment: Environment, variable: SecretVariable, setting: string, file: string | undefined): Promise<string | undefined> {
  const named = environment[variable];
  if (named !== undefined && named !== '') return named;
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new AdvertiseXError('config_invalid', `${setting}: ${file} cannot be read: ${(cause as Error).message}`, `Correct ${setting}, or the file.`, cause);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new AdvertiseXError('config_invalid', `${setting}: ${file} is empty`, `Write the secret into the file, or set ${variable}.`);
  return secret;
}
