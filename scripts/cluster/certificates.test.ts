import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, it } from 'vitest';
import { makeCertificates } from './certificates.ts';

it('makes certificates that one authority signed, and those of a stranger', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'advertisex-certificates-'));
  try {
    const made = await makeCertificates(folder);
    const read = (path: string) => new X509Certificate(readFileSync(path));
    const [authority, strangeAuthority] = [read(made.authority), read(made.strangeAuthority)];
    expect(authority.ca && strangeAuthority.ca).toBe(true);
    for (const name of ['server', 'client', 'stranger'] as const) {
      const certificate = read(made[name].certificate);
      expect(certificate.ca).toBe(false);
      expect([authority, strangeAuthority].map(({ publicKey }) => certificate.verify(publicKey))).toEqual([name !== 'stranger', name === 'stranger']);
      createSecureContext({ cert: readFileSync(made[name].certificate), key: readFileSync(made[name].key) });
    }
    const server = read(made.server.certificate);
    expect([server.checkHost('localhost'), server.checkIP('127.0.0.1'), server.checkIP('127.0.0.2')]).toEqual(['localhost', '127.0.0.1', undefined]);
    expect(existsSync(join(folder, 'authority.key'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
