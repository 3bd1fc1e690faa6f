import { AdvertiseXError } from '../domain/errors.ts';

/** What a request holds of the budget, until it gives it back. */
export interface Holding {
  grow(bytes: number): void;
  release(): void;
}

/**
 * The memory of all bodies together. What has arrived counts, and not what was announced: a slow sender would else keep
 * others out with bytes that it never sends.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Throws `server_busy` where an announced body would not fit now. */
  requireRoom(bytes: number): void {
    if (this.#heldBytes > 0 && this.#heldBytes + bytes > this.#maxBytes) {
      throw new AdvertiseXError('server_busy', `${this.#heldBytes} bytes of requests are being taken, and no more may`, 'Send it again in a moment.');
    }
  }

  open(): Holding {
    let held = 0;
    return {
      grow: (bytes) => {
        // A body that is alone is bounded by its own limit.
        if (this.#heldBytes > held) this.requireRoom(bytes);
        held += bytes;
        this.#heldBytes += bytes;
      },
      release: () => {
        this.#heldBytes -= held;
        held = 0;
      },
    };
  }
}
