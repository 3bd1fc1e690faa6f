import type { Encoding } from '../domain/feeds.ts';
import { splitBlocks } from './avro/split-blocks.ts';
import { createDecoder } from './create-decoder.ts';
import type { Boundary, Decoder, DecoderOptions } from './decoder.ts';

/** No more is held of one record, Avro block or line: what is longer is too large, or does not decode. */
const MAX_HELD_BYTES = 25_165_824;
const SLICE_BYTES = 65_536;
const NOTHING = new Uint8Array(0);
const LINE_FEED = Uint8Array.of(0x0a);
/** What opens something that the end of the input then cuts. */
const CUT: Readonly<Record<Encoding, Uint8Array>> = { json: Uint8Array.of(0x7b), csv: Uint8Array.of(0x22), avro: Uint8Array.of(0x02) };
/** gzip and zstd begin with these. */
const COMPRESSED_STARTS = [0x1f, 0x28];
const BYTE_ORDER_MARK_START = 0xef;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = Uint8Array.of(0x2c);
/** Of JSON and CSV: every record, line and value ends with one of `\n`, `}`, `]` and `,`. */
const ENDS = [0x0a, 0x7d, 0x5d, 0x2c];

export type CutterOptions = Pick<DecoderOptions, 'encoding' | 'fields' | 'maxRecordBytes' | 'delimiter'> & { readonly maxHeldBytes?: number };

/**
 * Cuts a stream, as it comes, into pieces of whole records. Each piece is a document of its own (with the CSV header row or the Avro
 * header before it), and decoded one after the other they give what the stream gives as a whole.
 */
export class RecordCutter {
  private readonly encoding: Encoding;
  private readonly decoder: Decoder;
  private readonly maxHeldBytes: number;
  /** The stream from `heldFrom` on; `header` goes before it. */
  private held = new Uint8Array(SLICE_BYTES);
  private heldBytes = 0;
  private heldFrom = 0;
  private header: Uint8Array = NOTHING;
  /** Of pieces behind the next one. */
  private nextHeader: Uint8Array = NOTHING;
  private pushed = 0;
  /** Where the next piece can end. */
  private boundary: Boundary | undefined;
  /** Something is longer than what is held: what comes of it is dropped. */
  private isDropping = false;
  private readonly ready: Uint8Array[] = [];
  private isFirst = true;
  private isEnded = false;
  /** Reported, and in no piece yet. */
  private records = 0;

  constructor({ maxHeldBytes = MAX_HELD_BYTES, ...options }: CutterOptions) {
    this.encoding = options.encoding;
    this.maxHeldBytes = maxHeldBytes;
    const count = () => void this.records++;
    const maxRecordBytes = Math.min(options.maxRecordBytes, Math.ceil(maxHeldBytes / 2));
    this.decoder = createDecoder({ ...options, maxRecordBytes }, { record: count, malformed: count });
  }

  /** What stands behind a damage cannot be decoded: nothing more has to be pushed. */
  get isOver(): boolean {
    return !this.decoder.complete;
  }

  /** Bytes that are in no piece yet. */
  get heldLength(): number {
    return this.heldBytes;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      const end = this.isDropping ? this.endOfPart(bytes, at) : Math.min(bytes.length, at + Math.min(SLICE_BYTES, Math.ceil(this.maxHeldBytes / 2)));
      this.pushPart(bytes.subarray(at, end));
      at = end;
    }
  }

  /** The stream ends here; what is open is cut. `isCut`: more should have come, so that at least one record is. */
  end(isCut = false): void {
    const wasWhole = !this.isOver;
    this.decoder.end();
    if (isCut && wasWhole && this.decoder.complete) {
      this.hold(CUT[this.encoding]);
      this.records++;
    }
    this.isEnded = true;
  }

  /** The whole records that are there; undefined where there are none. At the end, or behind a damage, also what is left. */
  take(): Uint8Array | undefined {
    const ready = this.ready.shift();
    if (ready !== undefined) return ready;
    if (this.records === 0) return undefined;
    if (this.isEnded || this.isOver) return this.cut(this.heldBytes, NOTHING);
    const { boundary } = this;
    if (boundary === undefined) return undefined;
    const piece = this.cut(boundary.end - this.heldFrom, boundary.trailer);
    this.goOnFrom(boundary, this.held.subarray(boundary.start - this.heldFrom, this.heldBytes));
    return piece;
  }

  private pushPart(part: Uint8Array): void {
    if (!this.isDropping) this.hold(part);
    this.pushed += part.length;
    this.decoder.push(part);
    // A stretch that is broken throughout may have no certain place to be cut at.
    this.boundary = this.decoder.boundary(this.heldBytes > this.maxHeldBytes / 2);
    this.nextHeader = this.boundary?.header ?? this.nextHeader;
    const { boundary } = this;
    const heldTo = this.heldFrom + this.heldBytes;
    if (this.isDropping && boundary !== undefined && boundary.start > heldTo) {
      this.ready.push(this.cut(this.heldBytes, NOTHING));
      this.goOnFrom(boundary, part.subarray(Math.max(0, part.length - (this.pushed - boundary.start))));
    } else if (!this.isDropping) {
      // The decoder of Avro holds a block anyway: it is cut once it is there.
      this.isDropping = this.encoding !== 'avro' && heldTo - (boundary?.end ?? this.heldFrom) >= this.maxHeldBytes;
    }
  }

  /** While something is dropped: short enough that no whole record follows its end. */
  private endOfPart(bytes: Uint8Array, at: number): number {
    let end = at;
    while (end < bytes.length && !ENDS.includes(bytes[end] as number)) end++;
    return Math.min(bytes.length, end + 1);
  }

  private cut(bytes: number, trailer: Uint8Array): Uint8Array {
    const body = this.held.subarray(0, bytes);
    this.records = 0;
    if (this.encoding !== 'avro' || bytes <= this.maxHeldBytes) return this.document(body, trailer);
    // The first piece has the header of the file among its bytes.
    const [first = body, ...more] = splitBlocks(body, this.isFirst ? this.nextHeader.length : 0, this.maxHeldBytes);
    const piece = this.document(first, NOTHING);
    this.header = this.nextHeader;
    for (const blocks of more) this.ready.push(this.document(blocks, NOTHING));
    return piece;
  }

  private document(body: Uint8Array, trailer: Uint8Array): Uint8Array {
    const piece = Buffer.concat([this.shield(this.header[0] ?? body[0]), this.header, this.encoding === 'json' ? this.breakUp(body) : NOTHING, body, trailer]);
    this.isFirst = false;
    return piece;
  }

  /** A line break before bytes that would mean something else at the beginning of a document. */
  private shield(first = 0): Uint8Array {
    const isMark = first === BYTE_ORDER_MARK_START && this.encoding === 'json' && !this.isFirst;
    return isMark || COMPRESSED_STARTS.includes(first) ? LINE_FEED : NOTHING;
  }

  /** A bracket among objects does not begin an array, and one behind a comma does not end it: both are malformed, and have to stay so. */
  private breakUp(body: Uint8Array): Uint8Array {
    const first = body.find((byte) => byte !== 0x20 && (byte < 0x09 || byte > 0x0d));
    return !this.isFirst && first === (this.header.length === 0 ? OPEN_ARRAY : CLOSE_ARRAY) ? COMMA : NOTHING;
  }

  private goOnFrom({ start, header }: Boundary, rest: Uint8Array): void {
    this.held.set(rest, 0);
    this.heldBytes = rest.length;
    this.heldFrom = start;
    this.header = header;
    this.isDropping = false;
    this.boundary = undefined;
  }

  private hold(bytes: Uint8Array): void {
    if (this.heldBytes + bytes.length > this.held.length) {
      const roomy = new Uint8Array(Math.max(2 * this.held.length, this.heldBytes + bytes.length));
      roomy.set(this.held.subarray(0, this.heldBytes));
      this.held = roomy;
    }
    this.held.set(bytes, this.heldBytes);
    this.heldBytes += bytes.length;
  }
}
