import { readCluster } from '../../scripts/cluster/cluster.ts';
import type { S3Access } from '../../scripts/cluster/s3.ts';

/** The S3 server of the cluster. */
export async function s3Server(): Promise<S3Access> {
  return (await readCluster()).s3;
}
