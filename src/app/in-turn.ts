/** Work of one kind on an instance, one piece after the other, whoever asks for it. */
export class InTurn {
  private readonly last = new WeakMap<object, Promise<unknown>>();

  /** `instance`: what all who work on it share. */
  run<T>(instance: object, work: () => Promise<T>): Promise<T> {
    const done = (this.last.get(instance) ?? Promise.resolve()).then(work);
    this.last.set(
      instance,
      done.catch(() => undefined),
    );
    return done;
  }
}
