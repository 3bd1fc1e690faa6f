import type { NormalisedRecord } from '../contracts/contract.ts';
import type { KeyHasher } from '../domain/murmur3.ts';
import type { Table } from '../domain/table.ts';
import type { ColumnBuilder } from '../staging/column-builder.ts';
import { segmentColumns } from '../staging/segment-columns.ts';
import { SegmentWriter } from '../staging/segment-writer.ts';
import { type FieldSlot, hashField } from './field-slots.ts';

/** Appends accepted records to the segment of their staged table. */
export class RowStager {
  readonly table: Table;
  readonly writer: SegmentWriter;
  private readonly fields: readonly FieldSlot[];
  private readonly fieldColumns: readonly ColumnBuilder[];
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
    this.fields = table.columns.flatMap(({ name }) => slots.get(name) ?? []);
    this.fieldColumns = this.fields.map((field) => this.writer.column(field.column));
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
  appendContentHash(record: NormalisedRecord, hasher: KeyHasher): void {
    hasher.begin();
    for (const field of this.fields) hashField(record, field, hasher);
    hasher.finish();
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
    const { fields, fieldColumns } = this;
    for (let i = 0; i < fields.length; i++) {
      const { slot, isText } = fields[i] as FieldSlot;
      const column = fieldColumns[i] as ColumnBuilder;
      if (record.present[slot] === 0) column.appendNull();
      else if (isText) column.appendText(record.buffers[slot] as Uint8Array, record.starts[slot] as number, record.ends[slot] as number);
      else column.appendNumber(record.numbers[slot] as number);
    }
    this.stageRow.appendNumber(stageRow);
    this.position.appendNumber(position);
  }

  private optionalColumn(name: string): ColumnBuilder | undefined {
    return this.table.columns.some((column) => column.name === name) ? this.writer.column(name) : undefined;
  }
}
