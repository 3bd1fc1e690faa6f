/** Runs tasks side by side, so many at a time, in the order in which they come. Once one has failed no other begins: they fail as it did. */
export class Lanes {
  private free: number;
  private readonly waiting: (() => void)[] = [];
  private readonly tasks: Promise<unknown>[] = [];
  private failure: { readonly error: unknown } | undefined;

  constructor(lanes: number) {
    this.free = lanes;
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.runInTurn(task);
    this.tasks.push(result.catch(() => undefined));
    return result;
  }

  /** Tasks that wait fail with `error`, unless one has failed before; resolves once those that run have ended, however they end. */
  async breakOff(error: unknown): Promise<void> {
    this.failure ??= { error };
    await Promise.all(this.tasks);
  }

  private async runInTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      if (this.failure !== undefined) throw this.failure.error;
      return await task();
    } catch (error) {
      this.failure ??= { error };
      throw error;
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
