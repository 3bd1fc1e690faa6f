import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildWithGo, installed } from './install.ts';
import type { Service } from './service.ts';

export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** MinIO as its sources were on 2026-02-12; it does conditional writes and encrypts at rest. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';

export const s3: Service<S3Access> = {
  ports: 1,
  install: () => installed(`minio-${VERSION}`, (folder) => buildWithGo(`github.com/minio/minio@${VERSION}`, folder)),

  access: ([port]) => ({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKeyId: `advertisex-${randomBytes(4).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  }),

  async prepare({ folder }) {
    await mkdir(join(folder, 'data'), { recursive: true });
  },

  command: ({ program, folder }, { endpoint, region, accessKeyId, secretAccessKey }) => ({
    program: join(program, 'minio'),
    words: ['server', join(folder, 'data'), '--quiet', '--address', new URL(endpoint).host],
    environment: {
      MINIO_ROOT_USER: accessKeyId,
      MINIO_ROOT_PASSWORD: secretAccessKey,
      MINIO_REGION_NAME: region,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      // A key of its own for encryption at rest, which goes with the password: data are kept as long as it is.
      MINIO_KMS_SECRET_KEY: `advertisex:${Buffer.from(secretAccessKey).subarray(0, 32).toString('base64')}`,
    },
  }),

  async check({ endpoint }) {
    const { status } = await fetch(`${endpoint}/minio/health/ready`);
    if (status !== 200) throw new Error(`It answers ${status}`);
  },
};
