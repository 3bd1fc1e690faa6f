/** What was opened one after the other, and is closed the other way round, all of it, however one of them ends. */
export class Closing {
  private readonly steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.steps.push(step);
  }

  /** Throws the first failure, once nothing is open any more. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** The same after `work`: its own failure comes first. */
  async after<T>(work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
    await this.close();
    return result;
  }
}
