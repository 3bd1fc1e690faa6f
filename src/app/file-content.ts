/** How an ingest comes by the bytes of a file. */
export interface FileContent {
  /** SHA-256 of them, in hex. Once it is known they are not asked for again. */
  hash(): Promise<string>;
  /** The hash, where it is known by other means than its bytes. */
  know(sha256: string): void;
  /** They stay there until they are let go. */
  here(): Promise<LocalBytes>;
  /** Has them while it works, also where they were let go: then they are brought here once more. */
  use<T>(work: (bytes: LocalBytes) => Promise<T>): Promise<T>;
  letGo(): Promise<void>;
}

export interface LocalBytes {
  readonly path: string;
  readonly modifiedMs: number;
}

/** A file of this machine: its bytes are where they are. */
export class LocalContent implements FileContent {
  private readonly bytes: LocalBytes;
  private readonly hashing: Promise<string>;

  constructor(bytes: LocalBytes, hashing: Promise<string>) {
    this.bytes = bytes;
    this.hashing = hashing;
    // Whoever awaits a hash sees it fail; those of files that nobody comes to are of no interest.
    hashing.catch(() => undefined);
  }

  hash(): Promise<string> {
    return this.hashing;
  }

  know(): void {}

  async here(): Promise<LocalBytes> {
    return this.bytes;
  }

  use<T>(work: (bytes: LocalBytes) => Promise<T>): Promise<T> {
    return work(this.bytes);
  }

  async letGo(): Promise<void> {}
}
