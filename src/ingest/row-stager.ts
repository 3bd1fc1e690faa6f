import type { NormalisedRecord } from '../contracts/contract.ts';
import type { KeyHasher } from '../domain/murmur3.ts';
import type { Table } from '../domain/table.ts';
import type { RowColumn, RowSegment } from '../staging/column-builder.ts';
import type { KnownUserAgent } from './bot-detector.ts';
import { ContentHasher } from './content-hash.ts';
import { type FieldSlot, hashField } from './field-slots.ts';

/** Appends accepted records to a segment of their staged table. */
export class RowStager {
  readonly segment: RowSegment;
  readonly table: Table;
  private readonly content: ContentHasher;
  private readonly textSlots: Int32Array;
  private readonly textColumns: readonly RowColumn[];
  private readonly numberSlots: Int32Array;
  private readonly numberColumns: readonly RowColumn[];
  private readonly eventKey: RowColumn;
  private readonly contentHash: RowColumn;
  private readonly stageRow: RowColumn;
  private readonly position: RowColumn;
  private readonly keyHash: RowColumn | undefined;
  private readonly userHash: RowColumn | undefined;
  private readonly reportDate: RowColumn | undefined;
  private readonly bot: RowColumn | undefined;

  constructor(table: Table, segment: RowSegment, slots: ReadonlyMap<string, FieldSlot>) {
    this.table = table;
    this.segment = segment;
    const fields = table.columns.flatMap(({ name }) => slots.get(name) ?? []);
    const texts = fields.filter((field) => field.isText);
    const numbers = fields.filter((field) => !field.isText);
    this.content = new ContentHasher(fields);
    this.textSlots = Int32Array.from(texts, (field) => field.slot);
    this.textColumns = texts.map((field) => segment.column(field.column));
    this.numberSlots = Int32Array.from(numbers, (field) => field.slot);
    this.numberColumns = numbers.map((field) => segment.column(field.column));
    this.eventKey = segment.column('event_key');
    this.contentHash = segment.column('content_hash');
    this.stageRow = segment.column('stage_row');
    this.position = segment.column('position');
    this.keyHash = this.optionalColumn('key_hash');
    this.userHash = this.optionalColumn('user_hash');
    this.reportDate = this.optionalColumn('report_date');
    this.bot = this.optionalColumn('bot');
  }

  /** The key that `hasher` holds. */
  appendKey(hasher: KeyHasher): void {
    this.eventKey.appendKey(hasher.h1, hasher.h2, hasher.h3, hasher.h4);
    this.keyHash?.appendHash(hasher.h3, hasher.h4);
  }

  /** The content as received: hashed before amounts are converted. */
  appendContentHash(record: NormalisedRecord, userAgent: KnownUserAgent | undefined, hasher: KeyHasher): void {
    this.content.hash(record, userAgent, hasher);
    this.contentHash.appendHash(hasher.h1, hasher.h2);
  }

  appendUserHash(record: NormalisedRecord, user: FieldSlot, hasher: KeyHasher): void {
    hasher.begin();
    hashField(record, user, hasher);
    hasher.finish();
    this.userHash?.appendHash(hasher.h1, hasher.h2);
  }

  appendReportDate(days: number): void {
    this.reportDate?.appendNumber(days);
  }

  appendBot(bot: boolean): void {
    this.bot?.appendBoolean(bot);
  }

  /** The fields and the origin: the end of a row that has its key, its hashes and what the table has besides. */
  appendFields(record: NormalisedRecord, stageRow: number, position: number): void {
    const { textSlots, textColumns, numberSlots, numberColumns } = this;
    for (let i = 0; i < textSlots.length; i++) {
      const slot = textSlots[i] as number;
      const column = textColumns[i] as RowColumn;
      if (record.present[slot] === 0) column.appendNull();
      else column.appendText(record.buffers[slot] as Uint8Array, record.starts[slot] as number, record.ends[slot] as number);
    }
    for (let i = 0; i < numberSlots.length; i++) {
      const slot = numberSlots[i] as number;
      const column = numberColumns[i] as RowColumn;
      if (record.present[slot] === 0) column.appendNull();
      else column.appendNumber(record.numbers[slot] as number);
    }
    this.stageRow.appendNumber(stageRow);
    this.position.appendNumber(position);
    this.segment.endRow?.();
  }

  private optionalColumn(name: string): RowColumn | undefined {
    return this.table.columns.some((column) => column.name === name) ? this.segment.column(name) : undefined;
  }
}
