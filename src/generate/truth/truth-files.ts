import { join } from 'node:path';
import type { EventFeed } from '../../domain/feeds.ts';
import type { QuarantineCode } from '../../domain/outcome.ts';
import { OutputFile, type WrittenFile } from '../output/output-file.ts';
import { PlainContainer } from '../output/record-containers.ts';

export interface RecordPlaceTruth {
  readonly feed: EventFeed;
  readonly file: string;
  readonly record: number;
}

export interface FaultTruth extends RecordPlaceTruth {
  readonly code: QuarantineCode;
  readonly pointer: string;
  readonly sort: string;
  /** Where the record stands that it contradicts. */
  readonly of?: { readonly file: string; readonly record: number } | undefined;
}

export interface DuplicateTruth extends RecordPlaceTruth {
  readonly of: { readonly file: string; readonly record: number } | undefined;
}

/** What became of a feed's records, or will. */
export class FeedTally {
  accepted = 0;
  duplicate = 0;
  readonly quarantined: Partial<Record<QuarantineCode, number>> = {};
  lateOverAnHour = 0;
  lateOverADay = 0;

  quarantine(code: QuarantineCode): void {
    this.quarantined[code] = (this.quarantined[code] ?? 0) + 1;
  }

  get quarantinedTotal(): number {
    let total = 0;
    for (const count of Object.values(this.quarantined)) total += count;
    return total;
  }

  get received(): number {
    return this.accepted + this.duplicate + this.quarantinedTotal;
  }
}

const SIDECARS = ['faults', 'duplicates', 'clicks', 'conversions', 'bots', 'campaign-days'] as const;
type Sidecar = (typeof SIDECARS)[number];

/** The lists of the truth, one JSON object a line. */
export class TruthFiles {
  private readonly outputs = new Map<Sidecar, { path: string; output: OutputFile; container: PlainContainer; records: number }>();

  constructor(directory: string) {
    for (const sidecar of SIDECARS) {
      const path = `truth/${sidecar}.ndjson`;
      const output = new OutputFile(join(directory, path), 'none');
      this.outputs.set(sidecar, { path, output, container: new PlainContainer(output, ''), records: 0 });
    }
  }

  fault(fault: FaultTruth): void {
    this.line('faults', fault);
  }

  duplicate(duplicate: DuplicateTruth): void {
    this.line('duplicates', duplicate);
  }

  line(sidecar: Sidecar, value: object): void {
    const entry = this.outputs.get(sidecar);
    if (entry === undefined) return;
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    entry.container.append(bytes, 0, bytes.length);
    entry.records++;
  }

  get waits(): boolean {
    for (const { output } of this.outputs.values()) if (output.waits) return true;
    return false;
  }

  async drained(): Promise<void> {
    for (const { output } of this.outputs.values()) if (output.waits) await output.drained();
  }

  async close(): Promise<WrittenFile[]> {
    const written: WrittenFile[] = [];
    for (const { path, output, container, records } of this.outputs.values()) {
      container.finish();
      written.push({ path, records, ...(await output.close()) });
    }
    return written;
  }

  abort(): void {
    for (const { output } of this.outputs.values()) output.abort();
  }
}
