import type { ObjectStore, StoreSettings } from '../object-store/object-store.ts';
import type { S3 } from '../object-store/s3/s3-bucket.ts';

/** Buckets by name. What speaks to them is loaded with the first: commands that need none start without it. */
export class ObjectStores {
  private readonly settings: StoreSettings;
  private s3: Promise<S3> | undefined;

  constructor(settings: StoreSettings) {
    this.settings = settings;
  }

  async bucket(name: string): Promise<ObjectStore> {
    this.s3 ??= import('../object-store/s3/s3-bucket.ts').then(({ S3 }) => new S3(this.settings));
    return (await this.s3).bucket(name);
  }

  async close(): Promise<void> {
    (await this.s3)?.close();
  }
}
