import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runTool } from './install.ts';

/** Files in PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  /** Signed what servers and `client` have. */
  readonly authority: string;
  readonly server: CertificateFiles;
  readonly client: CertificateFiles;
  /** A client that another authority signed: servers must refuse it. */
  readonly stranger: CertificateFiles;
  readonly strangeAuthority: string;
}

/** Who a client with the certificate `client` is to Kafka. */
export const CERTIFIED_CLIENT = 'certified-client';

const DAYS = '30';
/** The system's own would add extensions to every certificate. */
const CONFIGURATION = '[req]\ndistinguished_name = name\n[name]\n';

/** An authority of our own, and certificates that it signed, for 127.0.0.1 and localhost. Keys of authorities are not kept. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'openssl.cnf'), CONFIGURATION);
  const authority = await makeAuthority(folder, 'authority');
  const strangeAuthority = await makeAuthority(folder, 'strange-authority');
  const certificates = {
    authority: authority.certificate,
    server: await makeSigned(folder, 'server', 'localhost', authority),
    client: await makeSigned(folder, 'client', CERTIFIED_CLIENT, authority),
    stranger: await makeSigned(folder, 'stranger', 'stranger', strangeAuthority),
    strangeAuthority: strangeAuthority.certificate,
  };
  for (const { key } of [authority, strangeAuthority]) await rm(key);
  return certificates;
}

function filesOf(folder: string, name: string): CertificateFiles {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

async function makeAuthority(folder: string, name: string): Promise<CertificateFiles> {
  const files = filesOf(folder, name);
  await request(files, `AdvertiseX test ${name}`, ['-addext', 'basicConstraints=critical,CA:TRUE']);
  return files;
}

async function makeSigned(folder: string, name: string, commonName: string, authority: CertificateFiles): Promise<CertificateFiles> {
  const files = filesOf(folder, name);
  await request(files, commonName, [
    ...['-CA', authority.certificate, '-CAkey', authority.key],
    ...['-addext', 'basicConstraints=CA:FALSE', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ]);
  return files;
}

async function request({ certificate, key }: CertificateFiles, commonName: string, more: readonly string[]): Promise<void> {
  await runTool(
    'openssl',
    [
      ...['req', '-config', join(dirname(key), 'openssl.cnf'), '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', DAYS],
      ...['-subj', `/CN=${commonName}`, '-keyout', key, '-out', certificate, ...more],
    ],
    { need: 'OpenSSL 3' },
  );
}

/** Key and certificate in one file, as Java reads them. */
export async function writeKeystore(path: string, key: string, certificate: string): Promise<void> {
  await writeFile(path, `${key.trimEnd()}\n${certificate.trimEnd()}\n`, { mode: 0o600 });
}
