import { isUtf8 } from 'node:buffer';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { RecordSink, ResumePoint } from '../decoder.ts';
import { fieldName } from '../field-tree.ts';
import { MessageReports } from '../message-reports.ts';
import type { CsvMessageOptions, MessageDecoder } from '../messages.ts';
import { RecordSlots, ValueKind } from '../record-slots.ts';
import { delimiterByte } from './delimiter.ts';
import { readHeader } from './read-header.ts';
import { BROKEN, CARRIAGE_RETURN, LINE_FEED, NEED_MORE, RowReader } from './row-reader.ts';

/** A CSV row a message, without a header: what its cells are is told. */
export class CsvMessageDecoder implements MessageDecoder {
  private readonly reports: MessageReports;
  private readonly reader: RowReader;
  private readonly columns: readonly string[];
  private readonly unknownNames: readonly string[];
  /** What makes a row a document of its own. */
  private readonly header: Uint8Array;
  private records = 0;

  constructor({ fields, maxRecordBytes, delimiter = ',', columns }: CsvMessageOptions, sink: RecordSink) {
    this.reports = new MessageReports(sink, maxRecordBytes);
    this.columns = columns ?? fields.map((_, field) => fieldName(fields, field));
    const { fieldOfColumn, unknownNames, problem } = readHeader(cellsOf(this.columns), this.columns.length, fields);
    if (problem !== '') throw columnsProblem(problem);
    this.unknownNames = unknownNames;
    this.reader = new RowReader(delimiterByte(delimiter), fieldOfColumn, fields.length);
    this.header = Buffer.from(`${this.columns.map(quoted).join(delimiter)}\n`);
  }

  get unknownFields(): ReadonlyMap<string, number> {
    return new Map(this.records === 0 ? [] : this.unknownNames.map((name) => [name, this.records]));
  }

  async prepare(): Promise<void> {}

  push(value: Uint8Array, recordNumber: number): void {
    const { reports, reader } = this;
    if (!reports.start(value, recordNumber)) return;
    const { bytes } = reports;
    const start = behindLineBreaks(bytes, 0);
    const behind = start === bytes.length ? start : reader.read(bytes, start, bytes.length, true);
    const problem = this.problemOf(bytes, start, behind);
    if (problem === '') {
      this.records++;
      reports.record(reader.slots);
    } else {
      reports.malformed(`The CSV message does not decode: ${problem}.`, 'malformed', this.documentOf(bytes));
    }
  }

  currentRaw(): Uint8Array {
    return this.documentOf(this.reports.bytes);
  }

  resumePoint(): ResumePoint {
    return this.reports.resumePoint();
  }

  private problemOf(bytes: Uint8Array, start: number, behind: number): string {
    const { reader, columns } = this;
    if (start === bytes.length) return 'it is empty';
    if (behind === NEED_MORE) return 'a quoted cell is not closed';
    if (behind === BROKEN) return `${reader.problem}, at byte ${reader.problemAt}`;
    if (behindLineBreaks(bytes, behind) < bytes.length) return 'it holds more than one row';
    if (reader.cells !== columns.length) return `it has ${reader.cells} cells, and ${columns.length} are expected (${shortList(columns)})`;
    return isUtf8(bytes) ? '' : 'it is not UTF-8';
  }

  private documentOf(row: Uint8Array): Uint8Array {
    return new Uint8Array(Buffer.concat([this.header, row]));
  }
}

/** Blank lines are no rows. */
function behindLineBreaks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === LINE_FEED || (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED)) at++;
  return at;
}

function cellsOf(columns: readonly string[]): RecordSlots {
  const cells = new RecordSlots(columns.length);
  for (const [column, name] of columns.entries()) {
    const bytes = new TextEncoder().encode(name);
    cells.set(column, ValueKind.text, bytes, 0, bytes.length);
  }
  return cells;
}

function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function shortList(columns: readonly string[]): string {
  return columns.length <= SHOWN_COLUMNS ? columns.join(', ') : `${columns.slice(0, SHOWN_COLUMNS).join(', ')}, …`;
}

const SHOWN_COLUMNS = 12;

function columnsProblem(problem: string): AdvertiseXError {
  return new AdvertiseXError(
    'config_invalid',
    `The columns of CSV messages cannot be used: ${problem}`,
    'Name each column once, in the order of the cells; a column that the contract does not know is passed over.',
  );
}
