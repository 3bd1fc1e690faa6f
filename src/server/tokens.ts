import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AdvertiseXError } from '../domain/errors.ts';

export const ROLES = ['ingest', 'read', 'admin'] as const;
/** `admin` may do everything; `ingest` does not read, `read` does not send. */
export type Role = (typeof ROLES)[number];

export interface AccessToken {
  /** SHA-256 of the token, in 64 hex digits: the token itself need not be written down. */
  readonly sha256: string;
  readonly roles: readonly Role[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use a route; one that does not say is for `admin`. */
    role?: Role | 'anyone';
  }
}

export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export class AccessControl {
  readonly #tokens: readonly { readonly hash: Buffer; readonly roles: readonly Role[] }[];

  constructor(tokens: readonly AccessToken[]) {
    this.#tokens = tokens.map(({ sha256, roles }, index) => {
      if (!/^[0-9a-f]{64}$/i.test(sha256) || sha256.toLowerCase() === hashOfToken('') || roles.length === 0) {
        throw new AdvertiseXError(
          'config_invalid',
          `Access token ${index + 1} is not a SHA-256 of a token in 64 hex digits, with a role`,
          'Make one: `openssl rand -hex 32` for the token, `printf %s TOKEN | sha256sum` for its hash.',
        );
      }
      return { hash: Buffer.from(sha256, 'hex'), roles };
    });
  }

  get isOpen(): boolean {
    return this.#tokens.length === 0;
  }

  /** Throws `unauthenticated` or `forbidden`. */
  require(role: Role | 'anyone', request: FastifyRequest, reply: FastifyReply): void {
    if (role === 'anyone' || this.isOpen) return;
    const { authorization } = request.headers;
    const roles = this.#rolesOf(/^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization ?? '')?.[1]);
    if (roles === undefined) {
      reply.header('www-authenticate', `Bearer realm="advertisex"${authorization === undefined ? '' : ', error="invalid_token"'}`);
      const message = authorization === undefined ? 'The request has no token' : 'The token is not one of those that the server knows';
      throw new AdvertiseXError('unauthenticated', message, 'Send one: `Authorization: Bearer …`.');
    }
    if (roles.includes(role) || roles.includes('admin')) return;
    reply.header('www-authenticate', `Bearer realm="advertisex", error="insufficient_scope", scope="${role}"`);
    throw new AdvertiseXError('forbidden', `The token has not the role ${role}`, `Use a token with the role ${role} or admin.`);
  }

  /** Every hash is compared, each in the same time whatever it shares with the right one. */
  #rolesOf(token: string | undefined): readonly Role[] | undefined {
    const hash = createHash('sha256')
      .update(token ?? '')
      .digest();
    let roles: readonly Role[] | undefined;
    for (const known of this.#tokens) if (timingSafeEqual(known.hash, hash)) roles = known.roles;
    return roles;
  }
}
