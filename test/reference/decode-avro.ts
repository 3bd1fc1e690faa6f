/** Avro object container files, read by the specification's text: header, then blocks of count, size, data and sync marker. */
import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { type Decoded, type Raw, utf8 } from './decode.ts';

type Schema = string | Schema[] | SchemaObject;
interface SchemaObject {
  readonly type: Schema;
  readonly name?: string;
  readonly logicalType?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
  readonly symbols?: readonly string[];
  readonly items?: Schema;
  readonly values?: Schema;
  readonly size?: number;
}

export function decodeAvro(bytes: Uint8Array, recordBytes: number): Decoded[] {
  const records: Decoded[] = [];
  const input = new AvroReader(Buffer.from(bytes));
  try {
    if (input.take(4).toString('latin1') !== 'Obj\x01') throw new RangeError('not an Avro container file');
    const header = new Map<string, Buffer>();
    for (let count = input.long(); count !== 0n; count = input.long()) {
      if (count < 0n) input.long(); // the byte size that a negative count is followed by
      for (let i = 0n; i < (count < 0n ? -count : count); i++) header.set(input.bytes().toString(), input.bytes());
    }
    const schema = JSON.parse(header.get('avro.schema')!.toString()) as Schema;
    const codec = header.get('avro.codec')?.toString() ?? 'null';
    const sync = input.take(16);
    while (input.at < input.input.length) {
      const count = input.long();
      const data = input.bytes();
      if (!input.take(16).equals(sync)) throw new RangeError('the sync marker is wrong');
      const block = new AvroReader(codec === 'deflate' ? inflateRawSync(data) : codec === 'zstandard' ? zstdDecompressSync(data) : data);
      for (let i = 0n; i < count; i++) {
        const start = block.at;
        const record = block.value(schema);
        records.push(block.at - start > recordBytes ? { problem: 'too_large' } : badText(record) ? { problem: 'malformed' } : { record });
      }
      if (block.at !== block.input.length) throw new RangeError('the block is longer than its records');
    }
  } catch {
    records.push({ problem: 'malformed' });
  }
  return records;
}

/** Text that is not UTF-8 is marked by half a surrogate pair, which UTF-8 cannot hold. */
const BAD_TEXT = '\ud800';
function badText(value: Raw): boolean {
  return value.text === BAD_TEXT || (value.members ?? []).some(([, member]) => badText(member));
}

class AvroReader {
  readonly input: Buffer;
  at = 0;
  readonly named = new Map<string, SchemaObject>();

  constructor(input: Buffer) {
    this.input = input;
  }

  take(size: number): Buffer {
    if (size < 0 || this.at + size > this.input.length) throw new RangeError('the file ends');
    this.at += size;
    return this.input.subarray(this.at - size, this.at);
  }

  bytes(): Buffer {
    return this.take(Number(this.long()));
  }

  /** Zigzag, seven bits a byte, the lowest first. */
  long(): bigint {
    let bits = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0]!;
      bits |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (bits >> 1n) ^ -(bits & 1n);
    }
    throw new RangeError('the number is too long');
  }

  value(schema: Schema): Raw {
    if (Array.isArray(schema)) {
      const branch = schema[Number(this.long())];
      if (branch === undefined) throw new RangeError('the union has no such branch');
      return this.value(branch);
    }
    if (typeof schema === 'object' && typeof schema.type !== 'string') return this.value(schema.type);
    const type = typeof schema === 'string' ? schema : (schema.type as string);
    const details = typeof schema === 'string' ? this.named.get(schema) : schema;
    if (details?.name !== undefined) this.named.set(details.name, details);
    switch (details?.name !== undefined ? (details.type as string) : type) {
      case 'null':
        return { kind: 'null', text: '' };
      case 'boolean':
        return { kind: 'boolean', text: this.take(1)[0] === 1 ? 'true' : 'false' };
      case 'int':
      case 'long': {
        const number = this.long();
        if (details?.logicalType === 'timestamp-micros') return { kind: 'micros', text: `${number}` };
        if (details?.logicalType === 'timestamp-millis') return { kind: 'micros', text: `${number * 1000n}` };
        return { kind: 'number', text: `${number}` };
      }
      case 'double':
        return { kind: 'number', text: `${this.take(8).readDoubleLE()}` };
      case 'float':
        return { kind: 'number', text: `${this.take(4).readFloatLE()}` };
      case 'string':
      case 'bytes':
        return { kind: 'text', text: utf8(this.bytes().toString('latin1')) ?? BAD_TEXT };
      case 'fixed':
        return { kind: 'text', text: utf8(this.take(details!.size!).toString('latin1')) ?? BAD_TEXT };
      case 'enum':
        return { kind: 'text', text: details!.symbols![Number(this.long())]! };
      case 'record':
        return { kind: 'nested', text: '', members: details!.fields!.map((field) => [field.name, this.value(field.type)] as const) };
      case 'array':
      case 'map':
        for (let count = this.long(); count !== 0n; count = this.long()) {
          if (count < 0n) this.long();
          for (let i = 0n; i < (count < 0n ? -count : count); i++) {
            if (type === 'map') this.bytes();
            this.value((type === 'map' ? details!.values : details!.items)!);
          }
        }
        return { kind: 'nested', text: '' };
      default:
        throw new RangeError(`no such type: ${type}`);
    }
  }
}
