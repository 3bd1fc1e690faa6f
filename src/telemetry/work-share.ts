/** Of how long it is said. */
const WINDOW_SECONDS = 30;

/** Which part of the last half minute something was at work, told of each time that it was when it is over. */
export class WorkShare {
  private readonly nowSeconds: () => number;
  private readonly times: { readonly endedAt: number; readonly seconds: number }[] = [];

  constructor(nowSeconds: () => number) {
    this.nowSeconds = nowSeconds;
  }

  took(seconds: number): void {
    this.forget();
    this.times.push({ endedAt: this.nowSeconds(), seconds });
  }

  /** From 0 to 1. */
  share(): number {
    this.forget();
    return Math.min(1, this.times.reduce((sum, { seconds }) => sum + seconds, 0) / WINDOW_SECONDS);
  }

  private forget(): void {
    const since = this.nowSeconds() - WINDOW_SECONDS;
    while (this.times.length > 0 && (this.times[0]?.endedAt ?? since) < since) this.times.shift();
  }
}
