/** Writes records down in each encoding, in one of several ways that mean the same. */
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import avro from 'avsc';
import type { Encoding } from '../reference/decode.ts';

/** A value before it is written: text as it is, or something that can be written in several ways. */
export type Cell = string | { readonly micros: bigint } | { readonly number: string } | { readonly boolean: boolean };

/** A record, by dotted names; what is not in it is absent. Or something that is no record. */
export type Item = { readonly fields: Readonly<Record<string, Cell>> } | { readonly garbage: string };

/** An item and the way it is written, a small number. */
export interface Written {
  readonly item: Item;
  readonly style: number;
}

export type Compression = 'none' | 'gzip' | 'zstd';

export function renderFile(items: readonly Written[], encoding: Encoding, compression: Compression): Buffer {
  const plain = encoding === 'json' ? renderJson(items) : encoding === 'csv' ? renderCsv(items) : renderAvro(items);
  if (compression === 'gzip') return gzipSync(plain);
  return compression === 'zstd' ? zstdCompressSync(plain) : plain;
}

function writeTime(micros: bigint, style: number): string {
  const iso = (shift: bigint) => new Date(Number((micros + shift) / 1000n)).toISOString().slice(0, -1) + `${micros % 1000n}`.padStart(3, '0');
  switch (style % 5) {
    case 0:
      return `${iso(0n)}Z`;
    case 1:
      return `${micros}`;
    case 2:
      return `${iso(19_800_000_000n)}+05:30`;
    case 3:
      return iso(0n)
        .replace('T', ' ')
        .replace(/\.?0+$/, '');
    default:
      return `${micros / 1_000_000n}.${`${micros % 1_000_000n}`.padStart(6, '0')}9`;
  }
}

/** The cell's text, and whether that may stand in JSON as it is. */
function writeCell(cell: Cell, style: number): { text: string; bare: boolean } {
  if (typeof cell === 'string') return { text: cell, bare: false };
  if ('micros' in cell) return { text: writeTime(cell.micros, style), bare: style % 5 === 1 || style % 5 === 4 };
  if ('number' in cell)
    return {
      text: style % 3 === 1 ? `${cell.number}${cell.number.includes('.') ? '0' : '.0'}` : style % 3 === 2 ? `${cell.number}e0` : cell.number,
      bare: true,
    };
  return { text: [`${cell.boolean}`, cell.boolean ? '1' : '0', `${cell.boolean}`.toUpperCase()][style % 3]!, bare: style % 3 < 2 };
}

function renderJson(items: readonly Written[]): Buffer {
  const lines = items.map(({ item, style }) => {
    if ('garbage' in item) return item.garbage;
    const tree: Record<string, string | Record<string, string>> = {};
    for (const [name, cell] of Object.entries(item.fields)) {
      const { text, bare } = writeCell(cell, style);
      const value = bare && style % 2 === 0 ? text : JSON.stringify(text);
      const [outer, inner] = name.split('.') as [string, string?];
      if (inner === undefined) tree[outer] = value;
      else tree[outer] = { ...(tree[outer] as Record<string, string> | undefined), [inner]: value };
    }
    const space = style % 7 === 0 ? '\n ' : '';
    const object = (members: [string, string][]) => `{${members.map(([name, value]) => `${space}${JSON.stringify(name)}:${value}`).join(',')}}`;
    return object(Object.entries(tree).map(([name, value]) => [name, typeof value === 'string' ? value : object(Object.entries(value))]));
  });
  return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
}

/** Every column that a record of the file has, in the order they are met. */
function columnsOf(items: readonly Written[]): string[] {
  return [...new Set(items.flatMap(({ item }) => ('fields' in item ? Object.keys(item.fields) : [])))];
}

function renderCsv(items: readonly Written[]): Buffer {
  const columns = columnsOf(items);
  if (columns.length === 0) return Buffer.from('');
  const rows = items.map(({ item, style }) => {
    if ('garbage' in item) return item.garbage;
    return columns
      .map((column) => {
        const cell = item.fields[column];
        const text = cell === undefined ? '' : writeCell(cell, style).text;
        return /[",\r\n]/.test(text) || style % 4 === 0 ? `"${text.replaceAll('"', '""')}"` : text;
      })
      .join(',');
  });
  const lineBreak = (items[0]?.style ?? 0) % 2 === 0 ? '\n' : '\r\n';
  return Buffer.from([columns.join(','), ...rows].map((row) => `${row}${lineBreak}`).join(''), 'utf8');
}

/** Every field may be null, a text, microseconds or a boolean; garbage has no place in a container. */
function renderAvro(items: readonly Written[]): Buffer {
  // Records without a single field have no bytes: no reader can tell how many there are.
  const columns = columnsOf(items).length > 0 ? columnsOf(items) : ['unknown'];
  const leaf = ['null', 'string', 'boolean', { type: 'long', logicalType: 'timestamp-micros' }];
  const outers = [...new Set(columns.map((column) => column.split('.')[0]!))];
  const fields = outers.map((outer) => {
    const inners = columns.filter((column) => column.startsWith(`${outer}.`)).map((column) => column.split('.')[1]!);
    if (inners.length === 0) return { name: outer, type: leaf, default: null };
    return { name: outer, type: { type: 'record', name: `${outer}_record`, fields: inners.map((name) => ({ name, type: leaf, default: null })) } };
  });
  const schema = { type: 'record', name: 'event', fields };
  const type = avro.Type.forSchema(schema as avro.Schema, { wrapUnions: true });
  const records = items.flatMap(({ item, style }) => ('fields' in item ? [type.toBuffer(avroRecord(item.fields, columns, style))] : []));
  const long = (value: number) => avro.Type.forSchema('long').toBuffer(value);
  const bytes = (value: Buffer) => Buffer.concat([long(value.length), value]);
  const deflate = (items[0]?.style ?? 0) % 2 === 1;
  const header = { 'avro.schema': JSON.stringify(schema), 'avro.codec': deflate ? 'deflate' : 'null' };
  const metadata = Object.entries(header).flatMap(([name, value]) => [bytes(Buffer.from(name)), bytes(Buffer.from(value))]);
  const sync = Buffer.alloc(16, 7);
  const blocks: Buffer[] = [];
  for (let at = 0; at < records.length; at += 3) {
    const block = Buffer.concat(records.slice(at, at + 3));
    blocks.push(long(Math.min(3, records.length - at)), bytes(deflate ? deflateRawSync(block) : block), sync);
  }
  return Buffer.concat([Buffer.from('Obj\x01'), long(2), ...metadata, long(0), sync, ...blocks]);
}

function avroRecord(fields: Readonly<Record<string, Cell>>, columns: readonly string[], style: number): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const column of columns) {
    const cell = fields[column];
    const value =
      cell === undefined
        ? null
        : typeof cell === 'object' && 'micros' in cell && style % 2 === 0
          ? { long: Number(cell.micros) }
          : typeof cell === 'object' && 'boolean' in cell
            ? { boolean: cell.boolean }
            : { string: writeCell(cell, style).text };
    const [outer, inner] = column.split('.') as [string, string?];
    if (inner === undefined) record[outer] = value;
    else record[outer] = { ...(record[outer] as object | undefined), [inner]: value };
  }
  return record;
}
