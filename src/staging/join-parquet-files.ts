import { type FileHandle, open } from 'node:fs/promises';
import { T } from './thrift.ts';

/**
 * Joins Parquet files of the same columns to one, without looking into their data: the row groups of all of them, one after the other, and a
 * footer that says where they lie now. Throws a JoinProblem where the files' columns differ, or one is not what Parquet says.
 */
export async function joinParquetFiles(paths: readonly string[], target: string): Promise<void> {
  const out = await open(target, 'w');
  try {
    let length = MAGIC.length;
    await out.write(MAGIC);
    const footers: Footer[] = [];
    for (const path of paths) {
      const file = await open(path, 'r');
      try {
        const { bytes, start } = await readFooter(file, path);
        // Offsets in a file count from its beginning, which is not copied.
        footers.push(new FooterReader(bytes, length - MAGIC.length, path).read());
        await copyRange(file, out, MAGIC.length, start);
        length += start - MAGIC.length;
      } finally {
        await file.close();
      }
    }
    const footer = joinFooters(footers, paths);
    const tail = Buffer.alloc(4);
    tail.writeUInt32LE(footer.length);
    await out.write(Buffer.concat([footer, tail, MAGIC]));
  } finally {
    await out.close();
  }
}

export class JoinProblem extends Error {}

const MAGIC = Buffer.from('PAR1');
const COPIED_AT_ONCE = 4_194_304;

async function readFooter(file: FileHandle, path: string): Promise<{ readonly bytes: Uint8Array; readonly start: number }> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(8);
  if (size < 12 || (await file.read(tail, 0, 8, size - 8)).bytesRead < 8 || !tail.subarray(4).equals(MAGIC))
    throw new JoinProblem(`${path} is no whole Parquet file`);
  const start = size - 8 - tail.readUInt32LE();
  if (start < MAGIC.length) throw new JoinProblem(`${path} has no footer`);
  const bytes = Buffer.alloc(size - 8 - start);
  if ((await file.read(bytes, 0, bytes.length, start)).bytesRead < bytes.length) throw new JoinProblem(`${path} is shorter than it was`);
  return { bytes, start };
}

async function copyRange(from: FileHandle, to: FileHandle, start: number, end: number): Promise<void> {
  const buffer = Buffer.alloc(Math.min(COPIED_AT_ONCE, end - start));
  for (let at = start; at < end; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) throw new JoinProblem('the file is shorter than it was');
    for (let written = 0; written < bytesRead; ) written += (await to.write(buffer, written, bytesRead - written)).bytesWritten;
    at += bytesRead;
  }
}

/** A footer in parts: those that are joined, and the bytes of the others. */
interface Footer {
  readonly schema: Uint8Array;
  readonly rows: bigint;
  readonly rowGroups: readonly Uint8Array[];
  /** Fields that follow the row groups and hold for all rows: who wrote the file, the order of values. */
  readonly rest: readonly { readonly field: number; readonly type: number; readonly value: Uint8Array }[];
}

/** Fields of parquet.thrift. */
const FILE = { version: 1, schema: 2, rows: 3, rowGroups: 4, writtenBy: 6, columnOrders: 7 } as const;
const ROW_GROUP = { columns: 1, fileOffset: 5, ordinal: 7 } as const;
const CHUNK = { fileOffset: 2, metaData: 3, offsetIndex: 4, columnIndex: 6 } as const;
const META = { dataPage: 9, indexPage: 10, dictionaryPage: 11, bloomFilter: 14 } as const;

/** What happens to a struct's fields as it is copied: offsets move, structs inside have rules of their own, some fields are left out. */
interface Rules {
  readonly moved?: readonly number[];
  readonly inside?: Readonly<Record<number, Rules>>;
  readonly dropped?: readonly number[];
}

const ROW_GROUP_RULES: Rules = {
  moved: [ROW_GROUP.fileOffset],
  dropped: [ROW_GROUP.ordinal],
  inside: {
    [ROW_GROUP.columns]: {
      moved: [CHUNK.fileOffset, CHUNK.offsetIndex, CHUNK.columnIndex],
      inside: { [CHUNK.metaData]: { moved: Object.values(META) } },
    },
  },
};
const AS_IT_IS: Rules = {};

class FooterReader {
  private readonly bytes: Uint8Array;
  private readonly shift: bigint;
  private readonly path: string;
  private at = 0;

  constructor(bytes: Uint8Array, shift: number, path: string) {
    this.bytes = bytes;
    this.shift = BigInt(shift);
    this.path = path;
  }

  read(): Footer {
    let schema: Uint8Array | undefined;
    let rows = 0n;
    const rowGroups: Uint8Array[] = [];
    const rest: { field: number; type: number; value: Uint8Array }[] = [];
    for (const { field, type } of this.fields()) {
      if (field === FILE.rowGroups) for (let left = this.listHeader().size; left > 0; left--) rowGroups.push(this.copied(T.struct, ROW_GROUP_RULES));
      else if (field === FILE.rows) rows = this.zigZag();
      else {
        const value = this.copied(type, AS_IT_IS);
        if (field === FILE.schema) schema = value;
        else if (field === FILE.version || field === FILE.writtenBy || field === FILE.columnOrders) rest.push({ field, type, value });
      }
    }
    if (schema === undefined) throw new JoinProblem(`${this.path} has no schema`);
    return { schema, rows, rowGroups, rest };
  }

  private copied(type: number, rules: Rules): Uint8Array {
    const out: number[] = [];
    this.copy(type, rules, out);
    return Uint8Array.from(out);
  }

  private copy(type: number, rules: Rules, out: number[]): void {
    switch (type) {
      case T.true:
      case T.false:
        return;
      case T.byte:
        out.push(this.byte());
        return;
      case T.i16:
      case T.i32:
      case T.i64:
        writeVarint(out, this.varint());
        return;
      case T.double:
        for (let i = 0; i < 8; i++) out.push(this.byte());
        return;
      case T.binary: {
        const length = this.varint();
        writeVarint(out, length);
        for (let left = length; left > 0n; left--) out.push(this.byte());
        return;
      }
      case T.list:
      case T.set: {
        const { size, item } = this.listHeader();
        writeListHeader(out, size, item);
        // Booleans of a list take a byte each; elsewhere their type says them.
        for (let left = size; left > 0; left--) this.copy(item <= T.false ? T.byte : item, rules, out);
        return;
      }
      case T.struct:
        this.copyStruct(rules, out);
        return;
      default:
        throw new JoinProblem(`the footer of ${this.path} holds a type (${type}) that Parquet has not`);
    }
  }

  private copyStruct({ moved = [], inside = {}, dropped = [] }: Rules, out: number[]): void {
    let last = 0;
    for (const { field, type } of this.fields()) {
      const isDropped = dropped.includes(field);
      const target = isDropped ? [] : out;
      if (!isDropped) last = writeFieldHeader(out, last, field, type);
      if (moved.includes(field)) writeVarint(target, toZigZag(this.movedOffset()));
      else this.copy(type, inside[field] ?? AS_IT_IS, target);
    }
    out.push(T.stop);
  }

  /** Some offsets are 0 where there is nothing. */
  private movedOffset(): bigint {
    const offset = this.zigZag();
    return offset === 0n ? 0n : offset + this.shift;
  }

  private *fields(): Generator<{ readonly field: number; readonly type: number }> {
    for (let field = 0; ; ) {
      const header = this.byte();
      const type = header & 0x0f;
      if (type === T.stop) return;
      field = header >> 4 === 0 ? Number(this.zigZag()) : field + (header >> 4);
      yield { field, type };
    }
  }

  private listHeader(): { readonly size: number; readonly item: number } {
    const header = this.byte();
    return { size: header >> 4 === 15 ? Number(this.varint()) : header >> 4, item: header & 0x0f };
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new JoinProblem(`the footer of ${this.path} is cut`);
    return byte;
  }

  private varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new JoinProblem(`the footer of ${this.path} holds a number of more than 64 bits`);
  }

  private zigZag(): bigint {
    const value = this.varint();
    return (value >> 1n) ^ -(value & 1n);
  }
}

function joinFooters(footers: readonly Footer[], paths: readonly string[]): Buffer {
  const [first] = footers;
  if (first === undefined) throw new JoinProblem('there is no file to join');
  const odd = footers.findIndex(({ schema }) => !Buffer.from(schema).equals(first.schema));
  if (odd >= 0) throw new JoinProblem(`${paths[odd]} has other columns than ${paths[0]}`);
  const rowGroups = footers.flatMap((footer) => footer.rowGroups);
  const groups: number[] = [];
  writeListHeader(groups, rowGroups.length, T.struct);
  const rows: number[] = [];
  writeVarint(rows, toZigZag(footers.reduce((sum, footer) => sum + footer.rows, 0n)));
  const fields = [
    ...first.rest,
    { field: FILE.schema, type: T.list, value: first.schema },
    { field: FILE.rows, type: T.i64, value: Uint8Array.from(rows) },
    { field: FILE.rowGroups, type: T.list, value: Buffer.concat([Uint8Array.from(groups), ...rowGroups]) },
  ].sort((a, b) => a.field - b.field);
  const parts: Uint8Array[] = [];
  let last = 0;
  for (const { field, type, value } of fields) {
    const header: number[] = [];
    last = writeFieldHeader(header, last, field, type);
    parts.push(Uint8Array.from(header), value);
  }
  return Buffer.concat([...parts, Uint8Array.of(T.stop)]);
}

function writeFieldHeader(out: number[], last: number, field: number, type: number): number {
  const delta = field - last;
  if (delta > 0 && delta <= 15) out.push((delta << 4) | type);
  else {
    out.push(type);
    writeVarint(out, toZigZag(BigInt(field)));
  }
  return field;
}

function writeListHeader(out: number[], size: number, item: number): void {
  if (size < 15) out.push((size << 4) | item);
  else {
    out.push(0xf0 | item);
    writeVarint(out, BigInt(size));
  }
}

function toZigZag(value: bigint): bigint {
  return value >= 0n ? value << 1n : (-value << 1n) - 1n;
}

function writeVarint(out: number[], value: bigint): void {
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}
