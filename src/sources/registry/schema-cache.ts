export interface CacheBounds {
  /** Schemas that are kept. */
  readonly schemas: number;
  /** Of their texts together. */
  readonly characters: number;
  /** What was not there may be registered a moment later: it is asked for again after this. */
  readonly absentMillis: number;
}

const USUAL_BOUNDS: CacheBounds = { schemas: 2_000, characters: 64_000_000, absentMillis: 5_000 };

/** What was learned of schemas, for ever, up to a bound: those not asked for in a long time go first. What is asked for at the moment is asked once. */
export class SchemaCache<T extends { readonly text: string }> {
  private readonly found = new Map<string, T>();
  private readonly absentUntil = new Map<string, number>();
  private readonly underWay = new Map<string, Promise<T | undefined>>();
  private readonly bounds: CacheBounds;
  private characters = 0;

  constructor(bounds: Partial<CacheBounds> = {}) {
    this.bounds = { ...USUAL_BOUNDS, ...bounds };
  }

  async get(key: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    const found = this.found.get(key);
    if (found !== undefined) {
      this.found.delete(key);
      this.found.set(key, found);
      return found;
    }
    if ((this.absentUntil.get(key) ?? 0) > performance.now()) return undefined;
    let asked = this.underWay.get(key);
    if (asked === undefined) {
      asked = this.learn(key, ask);
      this.underWay.set(key, asked);
    }
    return asked;
  }

  private async learn(key: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    try {
      const schema = await ask();
      if (schema === undefined) this.keepAbsent(key);
      else this.keep(key, schema);
      return schema;
    } finally {
      this.underWay.delete(key);
    }
  }

  private keep(key: string, schema: T): void {
    this.found.set(key, schema);
    this.characters += schema.text.length;
    for (const [oldest, { text }] of this.found) {
      if (this.found.size <= this.bounds.schemas && this.characters <= this.bounds.characters) break;
      if (oldest === key) continue;
      this.found.delete(oldest);
      this.characters -= text.length;
    }
  }

  private keepAbsent(key: string): void {
    this.absentUntil.delete(key);
    this.absentUntil.set(key, performance.now() + this.bounds.absentMillis);
    if (this.absentUntil.size > this.bounds.schemas) this.absentUntil.delete(this.absentUntil.keys().next().value as string);
  }
}
