import type { MessageFraming } from '../messages.ts';

/** What a message says of itself before its record. */
export interface FrameReader {
  /** Bytes before the record. */
  readonly size: number;
  /** Reads the key of the schema into `high` and `low`; false where there is none: `problem` says why. */
  read(bytes: Uint8Array): boolean;
  /** 32 bits each. */
  high: number;
  low: number;
  problem: string;
}

export function frameReader(framing: MessageFraming): FrameReader {
  if (framing === 'confluent') return new ConfluentFrame();
  return framing === 'single-object' ? new SingleObjectFrame() : new NoFrame();
}

/** A byte 0, and the id of the schema in four bytes, big-endian. */
class ConfluentFrame implements FrameReader {
  readonly size = 5;
  readonly high = 0;
  low = 0;
  problem = '';

  read(bytes: Uint8Array): boolean {
    if (bytes.length === 0 || bytes[0] !== 0) {
      this.problem = bytes.length === 0 ? 'it is empty' : `it starts with byte ${hex(bytes[0] as number)}, not with the 0 of Confluent's wire format`;
      return false;
    }
    if (bytes.length < 5) {
      this.problem = `it ends after ${bytes.length} bytes, inside the id of its schema`;
      return false;
    }
    this.low = (((bytes[1] as number) << 24) | ((bytes[2] as number) << 16) | ((bytes[3] as number) << 8) | (bytes[4] as number)) >>> 0;
    return true;
  }
}

/** C3 01, and the CRC-64-AVRO fingerprint of the schema, little-endian. */
class SingleObjectFrame implements FrameReader {
  readonly size = 10;
  high = 0;
  low = 0;
  problem = '';

  read(bytes: Uint8Array): boolean {
    if (bytes.length < 2 || bytes[0] !== 0xc3 || bytes[1] !== 0x01) {
      this.problem =
        bytes.length < 2
          ? `it has ${bytes.length} bytes`
          : `it starts with bytes ${hex(bytes[0] as number)} ${hex(bytes[1] as number)}, not with the C3 01 of Avro's single-object encoding`;
      return false;
    }
    if (bytes.length < 10) {
      this.problem = `it ends after ${bytes.length} bytes, inside the fingerprint of its schema`;
      return false;
    }
    this.low = littleEndian(bytes, 2);
    this.high = littleEndian(bytes, 6);
    return true;
  }
}

/** Every message has the same schema. */
class NoFrame implements FrameReader {
  readonly size = 0;
  readonly high = 0;
  readonly low = 0;
  problem = '';

  read(bytes: Uint8Array): boolean {
    this.problem = 'it is empty';
    return bytes.length > 0;
  }
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return (((bytes[at + 3] as number) << 24) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at] as number)) >>> 0;
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
