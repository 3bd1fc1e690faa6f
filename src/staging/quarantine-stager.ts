import type { Encoding, Feed } from '../domain/feeds.ts';
import { KeyHasher } from '../domain/murmur3.ts';
import type { Violation } from '../domain/outcome.ts';
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
  private readonly bytes = new TextEncoder();

  append(origin: RecordOrigin, position: number, violations: readonly Violation[], raw: Uint8Array): void {
    const first = violations[0] as Violation;
    const { writer, hasher } = this;
    hasher.begin();
    hasher.ascii('quarantine');
    const source = this.bytes.encode(origin.source);
    hasher.text(source, 0, source.length);
    hasher.ascii(origin.feed);
    hasher.number(position);
    hasher.number(origin.receivedAtMicros);
    hasher.finish();
    writer.column('quarantine_id').appendKey(hasher.h1, hasher.h2, hasher.h3, hasher.h4);
    this.text('feed', origin.feed);
    this.text('code', first.code);
    this.text('path', first.pointer);
    this.text('message', first.message);
    this.text('violations', JSON.stringify(violations));
    writer.column('raw').appendText(raw, 0, raw.length);
    this.text('encoding', origin.encoding);
    this.text('delimiter', origin.delimiter);
    this.text('contract_version', origin.contractVersion);
    writer.column('position').appendNumber(position);
  }

  private text(column: string, value: string): void {
    const bytes = this.bytes.encode(value);
    this.writer.column(column).appendText(bytes, 0, bytes.length);
  }
}
