/** What a batch spends its time on, in order. `stage`: making its segments readable. */
export const BATCH_STAGES = ['stage', 'identify', 'resolve', 'clicks', 'attribute', 'gold', 'books', 'commit'] as const;
export type BatchStage = (typeof BATCH_STAGES)[number];

/** Steps are named by the folders of their models; reference data is what is resolved with, and quarantine is kept with the books. */
const STAGE_OF_STEP: Readonly<Record<string, BatchStage>> = {
  begin: 'stage',
  identify: 'identify',
  reference: 'resolve',
  resolve: 'resolve',
  clicks: 'clicks',
  attribute: 'attribute',
  gold: 'gold',
  quarantine: 'books',
  books: 'books',
  commit: 'commit',
};

/** Sums the time of a batch by stage, from being told before each of its steps. */
export class StageClock {
  private readonly nowSeconds: () => number;
  private stages = new Map<BatchStage, number>();
  private current: BatchStage | undefined;
  private since = 0;

  constructor(nowSeconds: () => number) {
    this.nowSeconds = nowSeconds;
  }

  /** A batch that failed is forgotten when the next one begins. */
  step(step: string): void {
    const now = this.nowSeconds();
    if (step === 'begin') this.stages = new Map();
    else if (this.current !== undefined) this.stages.set(this.current, (this.stages.get(this.current) ?? 0) + now - this.since);
    // What is no step of a batch (a lake that is written) takes no time of one.
    this.current = step === 'committed' ? undefined : (STAGE_OF_STEP[step.split('/', 1)[0] as string] ?? this.current);
    this.since = now;
  }

  /** Seconds of the batch that was committed, by stage; those that it had nothing for are not there. */
  take(): ReadonlyMap<BatchStage, number> {
    const { stages } = this;
    this.stages = new Map();
    return stages;
  }
}
