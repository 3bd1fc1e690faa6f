/** Records of an Avro block, read by the program that the writer's schema was compiled to (encodings/avro/program.ts). */
import {
  FIELD_BYTES,
  ITEM_BYTES,
  LIST_ITEMS,
  OP_BOOLEAN,
  OP_DOUBLE,
  OP_END,
  OP_ENUM,
  OP_JUMP,
  OP_LONG,
  OP_NULL,
  OP_SKIP_BYTES,
  OP_SKIP_ENUM,
  OP_SKIP_FIXED,
  OP_SKIP_LONG,
  OP_TEXT,
  OP_TIMESTAMP,
  OP_UNION,
} from '../layout';
import { isPrintable } from './text';
import { keepNull, readBoolean, readDouble, readLong, readMicros, readText } from './values';

let code: usize = 0;
/** Addresses of the lists of symbols. */
let symbols: usize = 0;
let position: usize = 0;
let end: usize = 0;
let failed: bool = false;

export function setProgram(programCode: usize, programSymbols: usize): void {
  code = programCode;
  symbols = programSymbols;
}

/** Reads the record at `start`; returns the position behind it, or 0. */
export function readAvroRecord(start: usize, blockEnd: usize, fields: usize): usize {
  position = start;
  end = blockEnd;
  failed = false;
  let pc = code;
  while (true) {
    const operand = load<i32>(pc, 4);
    switch (load<i32>(pc)) {
      case OP_END:
        return position;
      case OP_UNION: {
        const branch = index(operand);
        if (failed) return 0;
        pc = code + ((<usize>load<u32>(pc + 8 + ((<usize>branch) << 2))) << 2);
        continue;
      }
      case OP_JUMP:
        pc = code + ((<usize>operand) << 2);
        continue;
      case OP_TEXT: {
        const length = <usize>index(i32.MAX_VALUE);
        if (failed || length > end - position) return 0;
        const text = position;
        position += length;
        if (!isPrintable(text, position) || !readText(fieldAt(fields, operand), text, position)) return 0;
        break;
      }
      case OP_LONG: {
        const value = long();
        if (failed || !readLong(fieldAt(fields, operand), value)) return 0;
        break;
      }
      case OP_TIMESTAMP: {
        const value = long();
        const power = load<i32>(pc, 8);
        if (failed || value < 0 || value > 9_007_199_254_740_991 || power < 0) return 0;
        if (!readMicros(fieldAt(fields, operand), power == 3 ? value * 1_000 : value)) return 0;
        pc += 4;
        break;
      }
      case OP_DOUBLE: {
        if (end - position < 8) return 0;
        const value = load<f64>(position);
        position += 8;
        if (!readDouble(fieldAt(fields, operand), value)) return 0;
        break;
      }
      case OP_BOOLEAN: {
        if (position >= end) return 0;
        const value = load<u8>(position++);
        if (value > 1 || !readBoolean(fieldAt(fields, operand), value == 1)) return 0;
        break;
      }
      case OP_NULL:
        if (!keepNull(fieldAt(fields, operand))) return 0;
        break;
      case OP_ENUM: {
        const list = <usize>load<u32>(symbols + ((<usize>load<u32>(pc, 8)) << 2));
        const symbol = index(load<i32>(list));
        if (failed) return 0;
        const item = list + LIST_ITEMS + <usize>symbol * ITEM_BYTES;
        const text = <usize>load<u32>(item);
        const textEnd = text + load<u32>(item, 4);
        if (!isPrintable(text, textEnd) || !readText(fieldAt(fields, operand), text, textEnd)) return 0;
        pc += 4;
        break;
      }
      case OP_SKIP_FIXED:
        if (<usize>operand > end - position) return 0;
        position += operand;
        break;
      case OP_SKIP_LONG:
        long();
        pc -= 4;
        break;
      case OP_SKIP_BYTES: {
        const length = <usize>index(i32.MAX_VALUE);
        if (failed || length > end - position) return 0;
        position += length;
        pc -= 4;
        break;
      }
      case OP_SKIP_ENUM:
        index(operand);
        break;
      default:
        return 0;
    }
    if (failed) return 0;
    pc += 8;
  }
}

// @ts-ignore: decorator
@inline
function fieldAt(fields: usize, index: i32): usize {
  return fields + <usize>index * FIELD_BYTES;
}

/** A number that must be below `limit`. */
// @ts-ignore: decorator
@inline
function index(limit: i32): i32 {
  const value = long();
  if (value < 0 || value >= <i64>limit) failed = true;
  return <i32>value;
}

/** Variable-length, zig-zag. Nine bytes hold all that is plain. */
function long(): i64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 63; shift += 7) {
    if (position >= end) break;
    const byte = load<u8>(position++);
    value |= ((<u64>byte) & 0x7f) << shift;
    if (byte < 0x80) return <i64>((value >>> 1) ^ (0 - (value & 1)));
  }
  failed = true;
  return 0;
}
