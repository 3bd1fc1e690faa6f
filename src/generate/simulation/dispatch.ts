import type { EventFeed } from '../../domain/feeds.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR } from '../diurnal-curve.ts';
import type { ArrivalQueue, Placed } from '../output/arrival-queue.ts';
import { RandomStream } from '../random-stream.ts';
import type { Rates } from '../rates.ts';
import { AvroWriter } from '../records/avro-writer.ts';
import type { Fault } from '../records/fault.ts';
import type { RecordForm } from '../records/record-form.ts';
import type { FeedTally, TruthFiles } from '../truth/truth-files.ts';
import { FaultBursts } from './fault-bursts.ts';

export interface DispatchOptions<R> {
  readonly feed: EventFeed;
  readonly form: RecordForm<R>;
  readonly faults: readonly Fault<R>[];
  readonly queue: ArrivalQueue;
  readonly rates: Rates;
  readonly seed: string;
  /** About how many records the feed will have. */
  readonly expected: number;
  readonly tally: FeedTally;
  readonly truth: TruthFiles;
}

/**
 * The way from an event to the feed's files: when the record arrives, whether it arrives again, whether another one with the
 * same identity follows, and the broken records that stand around it. Broken ones are further records, so every event that
 * happens reaches the feed once in good form, and the truth stays simple.
 */
export class Dispatch<R extends object> {
  private readonly options: DispatchOptions<R>;
  private readonly arrivals: RandomStream;
  private readonly copies: RandomStream;
  private readonly breakage: RandomStream;
  private readonly bursts: FaultBursts;
  private readonly scratch: R;
  private readonly whole = new AvroWriter();
  private readonly faultOrder: readonly Fault<R>[];
  private earliest = 0;
  private burstFault = 0;

  constructor(options: DispatchOptions<R>) {
    const { seed, feed, rates, faults } = options;
    this.options = options;
    this.arrivals = new RandomStream(seed, `${feed} arrivals`);
    this.copies = new RandomStream(seed, `${feed} copies`);
    this.breakage = new RandomStream(seed, `${feed} breakage`);
    this.bursts = new FaultBursts(rates.malformed, rates.malformedBurst, options.expected, this.breakage);
    this.scratch = options.form.blank();
    this.faultOrder = byTurns(faults, new RandomStream(seed, `${feed} fault order`));
  }

  /** Nothing arrives before this from now on. */
  startAt(micros: number): void {
    this.earliest = micros;
  }

  send(record: R, eventMicros: number, duplicateRate: number): void {
    const { form, queue, tally, rates, truth, feed } = this.options;
    const arrival = Math.max(this.earliest, eventMicros + this.delay());
    tally.accepted++;
    const conflict = this.copies.chance(rates.idConflicts) && form.hasId(record);
    let copies = this.copies.chance(duplicateRate) ? 1 : 0;
    // A retry is now and then retried itself.
    if (copies === 1 && this.copies.chance(0.05)) copies = 2;
    if (copies === 0 && !conflict) {
      form.write(record, queue.begin(arrival));
      queue.end();
    } else {
      const original = new Original();
      form.write(record, queue.begin(arrival));
      queue.end(original);
      for (let i = 0; i < copies; i++) this.sendAgain(record, arrival, original);
      if (conflict) {
        Object.assign(this.scratch, record);
        form.contradict(this.scratch);
        tally.quarantine('id_conflict');
        form.write(this.scratch, queue.begin(arrival + this.pause()));
        queue.end({
          placed: (file, at) =>
            truth.fault({ feed, file, record: at, code: 'id_conflict', pointer: '', sort: 'same identity, other content', of: original.at }),
        });
      }
    }
    for (let broken = this.bursts.next(); broken > 0; broken--) this.sendBroken(record, arrival);
  }

  private sendAgain(record: R, arrival: number, original: Original): void {
    const { form, queue, tally, truth, feed } = this.options;
    tally.duplicate++;
    Object.assign(this.scratch, record);
    if (this.copies.chance(0.1)) form.respell(this.scratch);
    form.write(this.scratch, queue.begin(arrival + this.pause()));
    queue.end({ placed: (file, at) => truth.duplicate({ feed, file, record: at, of: original.at }) });
  }

  private sendBroken(record: R, arrival: number): void {
    const { form, queue, tally, truth, feed } = this.options;
    if (this.bursts.begins) this.burstFault++;
    // A burst is one client with one bug, and now and then something else in between.
    const fault = this.breakage.chance(0.8) ? (this.faultOrder[this.burstFault % this.faultOrder.length] as Fault<R>) : this.breakage.pick(this.faultOrder);
    Object.assign(this.scratch, record);
    form.renew(this.scratch);
    Object.assign(this.scratch, typeof fault.change === 'function' ? fault.change(this.scratch, this.breakage) : fault.change);
    const out = queue.begin(arrival + this.breakage.below(20_000));
    if (fault.garble === undefined) form.write(this.scratch, out);
    else {
      this.whole.clear();
      form.write(this.scratch, this.whole);
      out.raw(fault.garble(Buffer.from(this.whole.bytes.subarray(0, this.whole.length))));
    }
    tally.quarantine(fault.code);
    queue.end({ placed: (file, at) => truth.fault({ feed, file, record: at, code: fault.code, pointer: fault.pointer, sort: fault.sort }) });
  }

  /** From the event to the file, microseconds: seconds as a rule, hours for a phone without a network, days for a lost batch. */
  private delay(): number {
    const { rates, tally } = this.options;
    const draw = this.arrivals.fraction();
    if (draw >= rates.lateOverAnHour) return Math.min(600e6, Math.floor(1.5e6 * this.arrivals.exponential()));
    tally.lateOverAnHour++;
    if (draw >= rates.lateOverADay) return 1 + Math.floor(this.arrivals.logUniform(MICROS_PER_HOUR, MICROS_PER_DAY));
    tally.lateOverADay++;
    return 1 + Math.floor(this.arrivals.logUniform(MICROS_PER_DAY, 3 * MICROS_PER_DAY));
  }

  /** Between a record and its copy: seconds to minutes. */
  private pause(): number {
    return Math.floor(Math.min(1200e6, Math.max(1e6, this.copies.logNormal(25e6, 1.1))));
  }
}

/** Where the first copy of a record came to stand; it arrives before the others. */
class Original implements Placed {
  at: { file: string; record: number } | undefined;
  placed(file: string, record: number): void {
    this.at = { file, record };
  }
}

/** Every code's turn comes before any comes twice, in an order of chance: a small feed has something of everything too. */
function byTurns<R>(faults: readonly Fault<R>[], random: RandomStream): Fault<R>[] {
  const turns = new Map<string, number>();
  return faults
    .map((fault) => ({ fault, chance: random.fraction() }))
    .sort((a, b) => a.chance - b.chance)
    .map(({ fault, chance }) => {
      const turn = turns.get(fault.code) ?? 0;
      turns.set(fault.code, turn + 1);
      return { fault, rank: turn + chance };
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ fault }) => fault);
}
