import { readFileSync } from 'node:fs';
import { AdvertiseXError } from '../domain/errors.ts';
import { type AccessToken, ROLES, type Role } from './tokens.ts';

/**
 * Tokens of a file, one in a line: `ingest,read 5e88…1542`, the roles and the SHA-256 of the token. Empty lines, and what follows a
 * `#`, say nothing. Throws `config_invalid` with the number of the line, and never with what stands there.
 */
export function readTokenFile(path: string): AccessToken[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AdvertiseXError(
      'config_invalid',
      `The tokens in ${path} cannot be read: ${(cause as Error).message}`,
      'Correct server.tokens, or the file.',
      cause,
    );
  }
  return text.split('\n').flatMap((line, index) => {
    const words = line
      .replace(/#.*/, '')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) return [];
    const [roles = '', sha256 = ''] = words;
    const known = roles.split(',').filter((role): role is Role => (ROLES as readonly string[]).includes(role));
    if (words.length !== 2 || known.length !== roles.split(',').length || !/^[0-9a-f]{64}$/i.test(sha256)) {
      throw new AdvertiseXError(
        'config_invalid',
        `${path}, line ${index + 1}: not roles (${ROLES.join(', ')}) and the SHA-256 of a token`,
        'Write for example `ingest,read`, a space, and what `printf %s TOKEN | sha256sum` prints.',
      );
    }
    return [{ sha256, roles: known }];
  });
}
