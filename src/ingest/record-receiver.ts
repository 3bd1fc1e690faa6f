import { join } from 'node:path';
import type { ContractCheck, NormalisedRecord } from '../contracts/contract.ts';
import { EventLagTally } from '../domain/event-lag.ts';
import { EVENT_FEEDS, type EventFeed, type EventType, type Feed } from '../domain/feeds.ts';
import { KeyHasher } from '../domain/murmur3.ts';
import type { QuarantineCode, Violation } from '../domain/outcome.ts';
import type { Table } from '../domain/table.ts';
import { createReportDate } from '../domain/timestamp.ts';
import type { CurrentRecord, MalformedRecord, RecordLane, RecordSink, ResumePoint } from '../encodings/decoder.ts';
import type { RecordSlots } from '../encodings/record-slots.ts';
import { MAX_SEGMENT_ROWS } from '../staging/column-builder.ts';
import { QuarantineStager, type RecordOrigin } from '../staging/quarantine-stager.ts';
import { segmentColumns } from '../staging/segment-columns.ts';
import { SegmentWriter } from '../staging/segment-writer.ts';
import type { StagedChunk } from '../staging/staged-chunk.ts';
import { type Contracts, EVENT_TABLES, QUARANTINE_TABLE, REFERENCE_TABLES, stagedEventTable, stagedReferenceTable } from '../staging/staged-tables.ts';
import { BotDetector } from './bot-detector.ts';
import { type ClassifyEvent, classifierOf, missingFields } from './classify-event.ts';
import { CurrencyConverter, type CurrencyRate } from './currency-rates.ts';
import type { FastLane } from './fast-lane/fast-lane.ts';
import { ReceiverLane } from './fast-lane/receiver-lane.ts';
import { type FieldSlot, fieldSlots, hashField } from './field-slots.ts';
import { EventIdentifier } from './identify.ts';
import { RowStager } from './row-stager.ts';

export interface ReceiverOptions {
  readonly feed: Feed;
  readonly check: ContractCheck;
  readonly contracts: Contracts;
  readonly currency: string;
  readonly rates: readonly CurrencyRate[];
  readonly reportingTimeZone: string;
  /** Takes plain records of this feed past the rest of the edge. */
  readonly fastLane?: FastLane | undefined;
  /** Told of each record that goes into quarantine. */
  readonly onRefused?: ((position: number, violations: readonly Violation[]) => void) | undefined;
}

/** The part of a source that a receiver takes next. */
export interface SourceStretch {
  readonly origin: RecordOrigin;
  /** Folder for segments; their names start with `name`, which is unique in the folder. */
  readonly directory: string;
  readonly name: string;
  /** First of the row numbers that segments of this stretch may use; unique in a batch. */
  readonly firstStageRow: number;
  /** Records before this one are in the tables already. */
  readonly firstPosition: number;
  /** A chunk holds at most this many records. */
  readonly chunkRecords: number;
  /** Called when a chunk is on disk. */
  readonly onChunk: (chunk: StagedChunk) => void;
}

/**
 * The chain from a received record to its outcome: check against the contract, classify, identify, stage; or quarantine.
 * Chunks end after as many records as a segment holds. One receiver serves many files in turn: start, records, flush.
 */
export class RecordReceiver implements RecordSink {
  decoder: CurrentRecord | undefined;
  readonly lane: RecordLane | undefined;
  private readonly fastLane: FastLane | undefined;
  private readonly onRefused: ReceiverOptions['onRefused'];
  private stretch!: SourceStretch;
  private origin!: RecordOrigin;
  private readonly check: ContractCheck;
  private readonly slots: ReadonlyMap<string, FieldSlot>;
  private readonly hasher = new KeyHasher();
  private readonly quarantine = new QuarantineStager();
  private readonly stagers: ReadonlyMap<EventType | 'reference', RowStager>;
  /** By table. */
  private readonly writers = new Map<string, SegmentWriter>();
  /** Appends to the segment of the fast lane. */
  private laneStager: RowStager | undefined;
  private readonly identifiers: ReadonlyMap<EventType, EventIdentifier>;
  private readonly classify: ClassifyEvent | undefined;
  private readonly converter: CurrencyConverter;
  private readonly bots = new BotDetector();
  private readonly user: FieldSlot | undefined;
  private readonly userAgent: FieldSlot | undefined;
  private readonly eventTime: FieldSlot | undefined;
  private readonly reportDate: (micros: number) => number;
  private readonly referenceKey: readonly FieldSlot[];
  private resumePoints: ResumePoint[] = [];
  private lastResumePoint = 0;
  private chunkOrdinal = 0;
  private received = 0;
  private quarantined = 0;
  /** Of the chunk: records in quarantine by code. */
  private refusals = new Map<QuarantineCode, number>();
  private readonly eventLag = new EventLagTally();
  private firstPosition = 0;
  private nextPosition = 0;

  constructor({ feed, check, contracts, currency, rates, reportingTimeZone, fastLane, onRefused }: ReceiverOptions) {
    this.check = check;
    this.onRefused = onRefused;
    this.fastLane = fastLane;
    this.lane =
      fastLane &&
      new ReceiverLane(fastLane, {
        room: (recordNumber) => this.laneRoom(recordNumber),
        nextStageRow: () => this.stageRow() + 1,
        took: (recordNumber, taken) => {
          this.received += taken;
          this.nextPosition = recordNumber + taken;
        },
      });
    this.slots = fieldSlots(check.contract);
    this.user = this.slots.get('user_id');
    this.userAgent = this.slots.get('user_agent');
    this.eventTime = this.slots.get('event_time');
    this.converter = new CurrencyConverter(check.contract, currency, rates);
    this.reportDate = createReportDate(reportingTimeZone);
    if (isEventFeed(feed)) {
      const types = (Object.keys(EVENT_TABLES) as EventType[]).filter((type) => EVENT_TABLES[type].feed === feed);
      this.classify = classifierOf(feed, check);
      this.stagers = new Map(types.map((type) => [type, this.openStager(stagedEventTable(type, contracts))]));
      this.identifiers = new Map(types.map((type) => [type, new EventIdentifier(type, this.slots, this.hasher)]));
      this.referenceKey = [];
    } else {
      this.stagers = new Map([['reference', this.openStager(stagedReferenceTable(feed, contracts))]]);
      this.identifiers = new Map();
      this.referenceKey = REFERENCE_TABLES[feed].key.map((column) => this.slots.get(column) as FieldSlot);
    }
    this.writers.set(QUARANTINE_TABLE.name, this.quarantine.writer);
  }

  start(stretch: SourceStretch): void {
    this.stretch = stretch;
    this.origin = stretch.origin;
    this.chunkOrdinal = 0;
    this.firstPosition = stretch.firstPosition;
    this.nextPosition = stretch.firstPosition;
    this.discard();
  }

  /** The records from here on came from there, in the same stretch; for replays, whose records come from many places. */
  startOrigin(origin: RecordOrigin): void {
    const { source } = this.origin;
    this.origin = origin;
    this.startRuns(origin.source !== source);
  }

  record(slots: RecordSlots): void {
    const position = slots.recordNumber;
    if (position < this.stretch.firstPosition) return;
    this.count(position);
    if (position >= this.lastResumePoint + RESUME_NEAR) this.markResumePoint(position);
    const { check } = this;
    const isWhole = check.check(slots, this.origin.receivedAtMicros);
    const record = check.result;
    if (this.classify === undefined) {
      if (isWhole) this.stageReference(record, position);
      else this.refuse(position, record.violations, this.currentRaw());
      return;
    }
    const eventType = this.classify(record);
    const broken = this.brokenRules(isWhole, eventType, record);
    if (broken.length > 0) this.refuse(position, broken, this.currentRaw());
    else this.stageEvent(eventType, record, position);
  }

  malformed(problem: MalformedRecord): void {
    if (problem.recordNumber < this.stretch.firstPosition) return;
    this.count(problem.recordNumber);
    this.refuse(problem.recordNumber, [{ code: problem.code, pointer: '', message: problem.message }], problem.raw);
  }

  /** Behind the last record. */
  get position(): number {
    return this.nextPosition;
  }

  /** Ends the current chunk, if it holds anything. */
  flush(): void {
    if (this.received === 0) return;
    const segments: { table: string; path: string; rows: number }[] = [];
    const write = (table: string, segment: SegmentWriter | FastLane, suffix: string) => {
      const { rows } = segment;
      if (rows === 0) return;
      segment.tallyEventLag(this.eventLag);
      const path = join(this.stretch.directory, `${this.stretch.name}-${this.chunkOrdinal}-${table}${suffix}.parquet`);
      segment.writeTo(path);
      segments.push({ table, path, rows });
      segment.reset();
    };
    for (const [table, writer] of this.writers) write(table, writer, '');
    if (this.fastLane !== undefined) write(this.fastLane.table, this.fastLane, '-lane');
    const chunk = {
      firstPosition: this.firstPosition,
      nextPosition: this.nextPosition,
      received: this.received,
      quarantined: this.quarantined,
      refusals: this.refusals,
      eventLag: this.eventLag.take(),
      resumePoints: this.resumePoints,
      segments,
    };
    this.chunkOrdinal++;
    this.received = 0;
    this.quarantined = 0;
    this.refusals = new Map();
    this.resumePoints = [];
    this.lastResumePoint = this.nextPosition - RESUME_FAR;
    this.firstPosition = this.nextPosition;
    this.startRuns();
    this.stretch.onChunk(chunk);
  }

  private count(position: number): void {
    if (this.received >= this.chunkLimit() || this.isFull()) this.flush();
    this.received++;
    this.nextPosition = position + 1;
  }

  private chunkLimit(): number {
    return Math.min(MAX_SEGMENT_ROWS, this.stretch.chunkRecords);
  }

  /** Each record that starts a chunk, or a stretch between resume points, comes by the decoder: it has the places of both. */
  private laneRoom(recordNumber: number): number {
    if (recordNumber < this.stretch.firstPosition) return 0;
    return Math.max(0, Math.min(this.lastResumePoint + RESUME_FAR - recordNumber, this.chunkLimit() - this.received));
  }

  private markResumePoint(position: number): void {
    const point = (this.decoder as CurrentRecord).resumePoint();
    // An Avro block has one place for all its records.
    if (this.resumePoints.at(-1)?.offset !== point.offset) this.resumePoints.push(point);
    this.lastResumePoint = position;
  }

  private isFull(): boolean {
    if (this.fastLane?.isFull) return true;
    for (const writer of this.writers.values()) if (writer.isFull) return true;
    return false;
  }

  /** Every broken rule, in field order; an empty list on the good path, without allocating. */
  private brokenRules(isWhole: boolean, eventType: EventType, record: NormalisedRecord): readonly Violation[] {
    const isForeign = this.isForeign(eventType, record);
    if (isWhole && !isForeign && (eventType === 'impression' || eventType === 'bid_request')) return NONE;
    const found = [...record.violations];
    const isBroken = (pointer: string) => record.violations.some((violation) => violation.pointer === pointer);
    if (!isBroken('/event_type') && !isBroken('/conversion_type') && !isBroken('/campaign_id')) found.push(...missingFields(eventType, record, this.slots));
    if (isWhole && isForeign) {
      const violation = this.converter.violation(record);
      if (violation !== undefined) found.push(violation);
    }
    if (found.length < 2) return found;
    const order = new Map(this.check.contract.fields.map((field, index) => [field.pointer, index]));
    return found.sort((a, b) => (order.get(a.pointer) ?? -1) - (order.get(b.pointer) ?? -1));
  }

  /** A click has no amount: what stands in its value is not kept. */
  private isForeign(eventType: EventType, record: NormalisedRecord): boolean {
    return eventType !== 'click' && this.converter.isForeign(record);
  }

  private refuse(position: number, violations: readonly Violation[], raw: Uint8Array): void {
    this.quarantined++;
    const { code } = violations[0] as Violation;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    this.quarantine.append(this.origin, position, violations, raw);
    this.onRefused?.(position, violations);
  }

  private currentRaw(): Uint8Array {
    return (this.decoder as CurrentRecord).currentRaw();
  }

  private stageEvent(eventType: EventType, record: NormalisedRecord, position: number): void {
    const stager = this.stagerOf(eventType);
    const { hasher } = this;
    const userAgent = this.userAgent === undefined ? undefined : this.bots.lookUp(record, this.userAgent);
    (this.identifiers.get(eventType) as EventIdentifier).identify(record);
    stager.appendKey(hasher);
    stager.appendContentHash(record, userAgent, hasher);
    stager.appendUserHash(record, this.user as FieldSlot, hasher);
    stager.appendReportDate(this.reportDate(record.numbers[(this.eventTime as FieldSlot).slot] as number));
    stager.appendBot(userAgent?.isBot === true);
    if (this.isForeign(eventType, record)) this.converter.convert(record);
    stager.appendFields(record, this.stageRow(), position);
  }

  private stageReference(record: NormalisedRecord, position: number): void {
    const stager = this.stagers.get('reference') as RowStager;
    const { hasher } = this;
    hasher.begin();
    hasher.ascii(this.origin.feed);
    for (const field of this.referenceKey) hashField(record, field, hasher);
    hasher.finish();
    stager.appendKey(hasher);
    stager.appendContentHash(record, undefined, hasher);
    stager.appendFields(record, this.stageRow(), position);
  }

  private openStager(table: Table): RowStager {
    const writer = new SegmentWriter(segmentColumns(table));
    this.writers.set(table.name, writer);
    return new RowStager(table, writer, this.slots);
  }

  /** Once the lane is running, all rows of its type go into its segment: a second one beside it costs the engine more than its few rows do. */
  private stagerOf(eventType: EventType): RowStager {
    const stager = this.stagers.get(eventType) as RowStager;
    const segment = this.fastLane?.segment;
    if (segment === undefined) return stager;
    if (this.laneStager?.segment !== segment) this.laneStager = new RowStager(stager.table, segment, this.slots);
    return this.laneStager;
  }

  private stageRow(): number {
    return this.stretch.firstStageRow + this.chunkOrdinal * ROWS_A_CHUNK + this.received;
  }

  /** What a stretch that failed half-way has left. */
  private discard(): void {
    this.resumePoints = [];
    this.lastResumePoint = this.nextPosition - RESUME_FAR;
    this.received = 0;
    this.quarantined = 0;
    this.refusals = new Map();
    this.eventLag.reset();
    for (const writer of this.writers.values()) writer.reset();
    this.fastLane?.reset();
    this.startRuns();
  }

  /** Segments forget what holds for all their rows when they are written. */
  private startRuns(isOtherSource = true): void {
    const { source, receivedAtMicros } = this.origin;
    for (const writer of this.writers.values()) {
      if (isOtherSource) writer.startTextRun('source', source);
      writer.startNumberRun('received_at', receivedAtMicros);
    }
    this.fastLane?.startRuns(source, receivedAtMicros, isOtherSource);
  }
}

/** Records between two places from which a source can be read again: bounds what is decoded twice to find one of them. Of records that come by the decoder anyway, more are marked. */
const RESUME_NEAR = 128;
const RESUME_FAR = 256;

const NONE: readonly Violation[] = [];

/** Above the records of a chunk, so that row numbers of chunks do not meet. */
export const ROWS_A_CHUNK = 2 ** 17;

function isEventFeed(feed: Feed): feed is EventFeed {
  return (EVENT_FEEDS as readonly string[]).includes(feed);
}
