import { readFileSync } from 'node:fs';
import { ByteCopier } from '../../domain/byte-copier.ts';
import { ITEM_BYTES, LIST_ITEMS, PADDING } from './layout.ts';

/** What the kernel exports (kernel/index.ts). Addresses and sizes in bytes. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  allocate(size: number): number;
  setUp(setup: number): void;
  setReceived(latestMicros: number): void;
  setDay(days: number, fromMicros: number, toMicros: number): void;
  setProgram(code: number, symbols: number): void;
  takeLines(start: number, end: number, limit: number, longest: number, stageRow: number, position: number): number;
  takeAvro(start: number, end: number, limit: number, longest: number, stageRow: number, position: number): number;
  takeObject(start: number, end: number, longest: number, stageRow: number, position: number): number;
  takeAvroRecord(start: number, end: number, longest: number, stageRow: number, position: number): number;
  takenUpTo(): number;
  /** Of a row that is not the kernel's own: a value to each column, then its end. */
  appendText(column: number, start: number, length: number): void;
  appendNumber(column: number, value: number): void;
  appendDay(column: number, days: number): void;
  appendBit(column: number, bit: number): void;
  appendKey(column: number, h1: number, h2: number, h3: number, h4: number): void;
  appendHash(column: number, high: number, low: number): void;
  appendNull(column: number): void;
  endRow(): void;
  rowCount(): number;
  clear(): void;
}

/** What the kernel asks while it works. */
export interface KernelQuestions {
  isBot(start: number, length: number): number;
  findDay(micros: number): void;
  /** Of three letters, the first in the lowest byte: 10⁻⁹ of the instance's currency for one of that, at that time; 0 where it is not known. */
  findRate(letters: number, micros: number): number;
}

/** Compiled once a thread, from what the build made of `kernel/`. */
let compiled: WebAssembly.Module | undefined;

export function startKernel(questions: KernelQuestions): Kernel {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernel.wasm', import.meta.url)));
  const { exports } = new WebAssembly.Instance(compiled, { lane: { ...questions } });
  return exports as unknown as Kernel;
}

/** The kernel's memory, to write into and to read. Views are made anew when it has grown. */
export class KernelMemory {
  private readonly kernel: Kernel;
  private held: Uint8Array<ArrayBuffer>;
  private heldView: DataView<ArrayBuffer>;
  private readonly copier = new ByteCopier();
  private lent = 0;
  private lentCapacity = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.held = new Uint8Array(kernel.memory.buffer as ArrayBuffer);
    this.heldView = new DataView(this.held.buffer);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.held.length === 0) this.look();
    return this.held;
  }

  get view(): DataView<ArrayBuffer> {
    if (this.held.length === 0) this.look();
    return this.heldView;
  }

  /** Zeros. */
  allocate(size: number): number {
    return this.kernel.allocate(size);
  }

  word(address: number): number {
    return this.view.getUint32(address, true);
  }

  setWord(address: number, value: number): void {
    this.view.setInt32(address, value, true);
  }

  text(bytes: Uint8Array): number {
    // Texts are compared eight bytes at a time.
    const address = this.allocate(bytes.length + 16);
    this.bytes.set(bytes, address);
    return address;
  }

  /** Where a text stands until the next one is lent. */
  lend(buffer: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > this.lentCapacity) {
      this.lentCapacity = Math.max(length, 2 * this.lentCapacity);
      this.lent = this.allocate(this.lentCapacity + PADDING);
    }
    this.copier.copy(buffer, start, end, this.bytes, this.view, this.lent);
    return this.lent;
  }

  words(values: ArrayLike<number>): number {
    const address = this.allocate(4 * values.length);
    for (let i = 0; i < values.length; i++) this.setWord(address + 4 * i, values[i] as number);
    return address;
  }

  /** How many, then of each its address and its length. */
  texts(values: readonly Uint8Array[]): number {
    return this.pairs(values.map((value) => [this.text(value), value.length]));
  }

  pairs(values: readonly (readonly [number, number])[]): number {
    const address = this.allocate(LIST_ITEMS + ITEM_BYTES * values.length);
    this.setWord(address, values.length);
    for (const [i, [one, other]] of values.entries()) {
      this.setWord(address + LIST_ITEMS + ITEM_BYTES * i, one);
      this.setWord(address + LIST_ITEMS + ITEM_BYTES * i + 4, other);
    }
    return address;
  }

  private look(): void {
    this.held = new Uint8Array(this.kernel.memory.buffer as ArrayBuffer);
    this.heldView = new DataView(this.held.buffer);
  }
}
