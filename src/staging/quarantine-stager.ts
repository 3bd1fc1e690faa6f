import type { Encoding, Feed } from '../domain/feeds.ts';
import { KeyHasher } from '../domain/murmur3.ts';
import type { Violation } from '../domain/outcome.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { segmentColumns } from './segment-columns.ts';
import { SegmentWriter } from './segment-writer.ts';
import { QUARANTINE_TABLE } from './staged-tables.ts';

export interface RecordOrigin {
  readonly feed: Feed;
  readonly source: string;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly contractVersion: string;
  readonly receivedAtMicros: number;
}

/** Keeps what broke its contract, whole, with the code, the place and the reason. */
export class QuarantineStager {
  readonly writer = new SegmentWriter(segmentColumns(QUARANTINE_TABLE));
  private readonly hasher = new KeyHasher();
  private readonly columns = new Map(this.writer.columns.map((column) => [column.name, column]));
  private readonly encoded = new Map<string, Uint8Array>();

  append(origin: RecordOrigin, position: number, violations: readonly Violation[], raw: Uint8Array): void {
    const first = violations[0] as Violation;
    const { hasher } = this;
    hasher.begin();
    hasher.ascii('quarantine');
    const source = this.repeated(origin.source);
    hasher.text(source, 0, source.length);
    hasher.ascii(origin.feed);
    hasher.number(position);
    hasher.number(origin.receivedAtMicros);
    hasher.finish();
    this.column('quarantine_id').appendKey(hasher.h1, hasher.h2, hasher.h3, hasher.h4);
    this.bytes('feed', this.repeated(origin.feed));
    this.bytes('code', this.repeated(first.code));
    this.bytes('path', this.repeated(first.pointer));
    this.bytes('message', UTF8.encode(first.message));
    this.bytes('violations', UTF8.encode(JSON.stringify(violations)));
    this.bytes('raw', raw);
    this.bytes('encoding', this.repeated(origin.encoding));
    this.bytes('delimiter', this.repeated(origin.delimiter));
    this.bytes('contract_version', this.repeated(origin.contractVersion));
    this.column('position').appendNumber(position);
  }

  private column(name: string): ColumnBuilder {
    return this.columns.get(name) as ColumnBuilder;
  }

  private bytes(column: string, bytes: Uint8Array): void {
    this.column(column).appendText(bytes, 0, bytes.length);
  }

  /** Encodes a text that few others stand beside: feeds, codes, places, the files at hand. */
  private repeated(text: string): Uint8Array {
    let bytes = this.encoded.get(text);
    if (bytes === undefined) {
      if (this.encoded.size >= REMEMBERED_TEXTS) this.encoded.clear();
      bytes = UTF8.encode(text);
      this.encoded.set(text, bytes);
    }
    return bytes;
  }
}

const UTF8 = new TextEncoder();
const REMEMBERED_TEXTS = 1_000;
