import type { NormalisedRecord } from '../contracts/contract.ts';
import type { KeyHasher } from '../domain/murmur3.ts';
import type { Table } from '../domain/table.ts';
import type { ColumnBuilder } from '../staging/column-builder.ts';
import { segmentColumns } from '../staging/segment-columns.ts';
import { SegmentWriter } from '../staging/segment-writer.ts';
import type { KnownUserAgent } from './bot-detector.ts';
import { ContentHasher } from './content-hash.ts';
import { type FieldSlot, hashField } from './field-slots.ts';

/** Appends accepted records to the segment of their staged table. */
export class RowStager {
  readonly table: Table;
  readonly writer: SegmentWriter;
  private readonly content: ContentHasher;
  private readonly textSlots: Int32Array;
  private readonly textColumns: readonly ColumnBuilder[];
  private readonly numberSlots: Int32Array;
  private readonly numberColumns: readonly ColumnBuilder[];
  private readonly eventKey: ColumnBuilder;
  private readonly contentHash: ColumnBuilder;
  private readonly stageRow: ColumnBuilder;
  private readonly position: ColumnBuilder;
  private readonly keyHash: ColumnBuilder | undefined;
  private readonly userHash: ColumnBuilder | undefined;
  private readonly reportDate: ColumnBuilder | undefined;
  private readonly bot: ColumnBuilder | undefined;

  constructor(table: Table, slots: ReadonlyMap<string, FieldSlot>) {
    this.table = table;
    this.writer = new SegmentWriter(segmentColumns(table));
    const fields = table.columns.flatMap(({ name }) => slots.get(name) ?? []);
    const texts = fields.filter((field) => field.isText);
    const numbers = fields.filter((field) => !field.isText);
    this.content = new ContentHasher(fields);
    this.textSlots = Int32Array.from(texts, (field) => field.slot);
    this.textColumns = texts.map((field) => this.writer.column(field.column));
    this.numberSlots = Int32Array.from(numbers, (field) => field.slot);
    this.numberColumns = numbers.map((field) => this.writer.column(field.column));
    this.eventKey = this.writer.column('event_key');
    this.contentHash = this.writer.column('content_hash');
    this.stageRow = this.writer.column('stage_row');
    this.position = this.writer.column('position');
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

  /** The fields and the origin; with the key, the hashes and what the table has besides, the row is whole. */
  appendFields(record: NormalisedRecord, stageRow: number, position: number): void {
    const { textSlots, textColumns, numberSlots, numberColumns } = this;
    for (let i = 0; i < textSlots.length; i++) {
      const slot = textSlots[i] as number;
      const column = textColumns[i] as ColumnBuilder;
      if (record.present[slot] === 0) column.appendNull();
      else column.appendText(record.buffers[slot] as Uint8Array, record.starts[slot] as number, record.ends[slot] as number);
    }
    for (let i = 0; i < numberSlots.length; i++) {
      const slot = numberSlots[i] as number;
      const column = numberColumns[i] as ColumnBuilder;
      if (record.present[slot] === 0) column.appendNull();
      else column.appendNumber(record.numbers[slot] as number);
    }
    this.stageRow.appendNumber(stageRow);
    this.position.appendNumber(position);
  }

  private optionalColumn(name: string): ColumnBuilder | undefined {
    return this.table.columns.some((column) => column.name === name) ? this.writer.column(name) : undefined;
  }
}
