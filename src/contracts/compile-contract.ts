import { ControlCharacterScanner, hasAtLeastCharacters, hasAtMostCharacters } from '../domain/characters.ts';
import { DecimalReading, readDecimal } from '../domain/decimal.ts';
import { HostReader } from '../domain/host.ts';
import { AmountReading, readInteger, readMoney, readRate } from '../domain/money.ts';
import type { Violation } from '../domain/outcome.ts';
import { EARLIEST_EVENT_MICROS, FUTURE_ALLOWANCE_MICROS, readDate, TimestampReader } from '../domain/timestamp.ts';
import type { FieldPath } from '../encodings/decoder.ts';
import { type RecordSlots, ValueKind } from '../encodings/record-slots.ts';
import type { Contract, ContractCheck, NormalisedRecord, NormalisingRules } from './contract.ts';
import { FieldPlan, pathsOf, Reader } from './field-plan.ts';
import { NullSpellings, sameBytes } from './null-spellings.ts';
import { describeProblem, Problem } from './problem.ts';

/**
 * Compiles a contract into its check. This is the hottest code of the edge: every byte of every record passes here once, and
 * on the good path nothing is allocated. Texts stay views of the decoder's buffers; only what must be changed (a website's case, say)
 * is written to scratch space.
 */
export function compileContract(contract: Contract, rules: NormalisingRules): ContractCheck {
  return new CompiledContract(contract, rules);
}

const SPACE = 0x20;
const TAB = 0x09;
const NO_BYTES = new Uint8Array(0);

class CompiledContract implements ContractCheck {
  readonly contract: Contract;
  readonly paths: readonly FieldPath[];
  readonly result: NormalisedRecord;
  readonly #plans: readonly FieldPlan[];
  readonly #nulls: NullSpellings;
  readonly #timestamps: TimestampReader;
  readonly #controls = new ControlCharacterScanner();
  readonly #hosts: readonly HostReader[];
  readonly #present: Uint8Array;
  readonly #buffers: Uint8Array[];
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #numbers: Float64Array;
  readonly #violations: Violation[] = [];
  /** The latest time that the record may have. An array of one, because a double that is handed from function to function is boxed each time. */
  readonly #latest = new Float64Array(1);

  constructor(contract: Contract, rules: NormalisingRules) {
    const count = contract.fields.length;
    this.contract = contract;
    this.paths = contract.fields.map(pathsOf);
    this.#plans = contract.fields.map((field) => new FieldPlan(field));
    this.#nulls = new NullSpellings(rules.nullSpellings);
    this.#timestamps = new TimestampReader(rules.timeZone);
    // One a field: a record may hold two websites, and both answers must last until the next record.
    this.#hosts = contract.fields.map(() => new HostReader());
    this.#present = new Uint8Array(count);
    this.#buffers = new Array<Uint8Array>(count).fill(NO_BYTES);
    this.#starts = new Int32Array(count);
    this.#ends = new Int32Array(count);
    this.#numbers = new Float64Array(count);
    this.result = {
      present: this.#present,
      buffers: this.#buffers,
      starts: this.#starts,
      ends: this.#ends,
      numbers: this.#numbers,
      violations: this.#violations,
    };
  }

  check(slots: RecordSlots, receivedAtMicros: number): boolean {
    const plans = this.#plans;
    const { kinds, buffers, starts, ends } = slots;
    if (this.#violations.length > 0) this.#violations.length = 0;
    this.#latest[0] = receivedAtMicros + FUTURE_ALLOWANCE_MICROS;
    for (let index = 0; index < plans.length; index++) {
      const plan = plans[index] as FieldPlan;
      const kind = kinds[index] as ValueKind;
      if (kind <= ValueKind.null) {
        this.#present[index] = 0;
        if (plan.required || (plan.mustBePresent && kind === ValueKind.absent)) {
          this.#refuse(plan, index, plan.required ? Problem.missing : Problem.notThere, kind, NO_BYTES, 0, 0);
        }
        continue;
      }
      const bytes = buffers[index] as Uint8Array;
      let start = starts[index] as number;
      let end = ends[index] as number;
      if (kind === ValueKind.text && start < end && ((bytes[start] as number) <= SPACE || (bytes[end - 1] as number) <= SPACE)) {
        while (start < end && isBlank(bytes[start] as number)) start++;
        while (start < end && isBlank(bytes[end - 1] as number)) end--;
      }
      if (kind <= ValueKind.number && this.#nulls.matches(bytes, start, end)) {
        this.#present[index] = 0;
        if (plan.required) this.#refuse(plan, index, Problem.missing, kind, bytes, start, end);
        continue;
      }
      this.#present[index] = 1;
      const isWrongKind = kind === ValueKind.nested || (kind === ValueKind.boolean && plan.reader !== Reader.boolean);
      const problem = isWrongKind ? Problem.wrongKind : this.#read(plan, index, kind, bytes, start, end);
      if (problem !== Problem.none) this.#refuse(plan, index, problem, kind, bytes, start, end);
    }
    return this.#violations.length === 0;
  }

  #read(plan: FieldPlan, index: number, kind: ValueKind, bytes: Uint8Array, start: number, end: number): Problem {
    switch (plan.reader) {
      case Reader.id:
      case Reader.text:
        return this.#readText(plan, index, kind, bytes, start, end);
      case Reader.timestamp:
        return this.#readTimestamp(plan, index, kind, bytes, start, end);
      case Reader.host:
        return this.#readHost(plan, index, bytes, start, end);
      case Reader.enum:
        return this.#readEnum(plan, index, bytes, start, end);
      case Reader.letters:
        return this.#readLetters(plan, index, bytes, start, end);
      case Reader.boolean:
        return this.#readBoolean(index, bytes, start, end);
      case Reader.date:
        return this.#readDate(plan, index, bytes, start, end);
      default:
        return this.#readNumber(plan, index, bytes, start, end);
    }
  }

  #readText(plan: FieldPlan, index: number, kind: ValueKind, bytes: Uint8Array, start: number, end: number): Problem {
    // 1.50 and 1.5 are one number but two texts: only whole numbers have one text.
    if (kind === ValueKind.number && !isInteger(bytes, start, end)) return Problem.notInteger;
    if (plan.reader === Reader.id) {
      if (start === end) return Problem.empty;
      if (this.#controls.finds(bytes, start, end)) return Problem.controlCharacter;
    }
    this.#keepText(index, bytes, start, end);
    return end - start <= plan.plainLength ? Problem.none : checkText(plan, bytes, start, end);
  }

  #readHost(plan: FieldPlan, index: number, bytes: Uint8Array, start: number, end: number): Problem {
    const host = this.#hosts[index] as HostReader;
    if (!host.read(bytes, start, end)) return Problem.notHost;
    this.#keepText(index, host.buffer, host.start, host.end);
    return checkText(plan, host.buffer, host.start, host.end);
  }

  #readEnum(plan: FieldPlan, index: number, bytes: Uint8Array, start: number, end: number): Problem {
    const { values } = plan;
    for (let choice = 0; choice < values.length; choice++) {
      const value = values[choice] as Uint8Array;
      if (sameBytes(value, bytes, start, end)) {
        this.#keepText(index, value, 0, value.length);
        return Problem.none;
      }
    }
    const choice = plan.lowerValues.indexOf(textOf(bytes, start, end).toLowerCase());
    if (choice < 0) return Problem.notAllowed;
    const value = values[choice] as Uint8Array;
    this.#keepText(index, value, 0, value.length);
    return Problem.none;
  }

  #readLetters(plan: FieldPlan, index: number, bytes: Uint8Array, start: number, end: number): Problem {
    const { letters, capitals } = plan;
    if (end - start !== letters) return Problem.notLetters;
    for (let offset = 0; offset < letters; offset++) {
      const capital = (bytes[start + offset] as number) & 0xdf;
      if (capital < 0x41 || capital > 0x5a) return Problem.notLetters;
      capitals[offset] = capital;
    }
    this.#keepText(index, capitals, 0, letters);
    return checkText(plan, capitals, 0, letters);
  }

  #readNumber(plan: FieldPlan, index: number, bytes: Uint8Array, start: number, end: number): Problem {
    const numbers = this.#numbers;
    const reading =
      plan.reader === Reader.money
        ? readMoney(bytes, start, end, numbers, index)
        : plan.reader === Reader.rate
          ? readRate(bytes, start, end, numbers, index)
          : readInteger(bytes, start, end, numbers, index);
    return reading === AmountReading.read ? this.#checkRange(plan, index) : amountProblem(reading);
  }

  #readTimestamp(plan: FieldPlan, index: number, kind: ValueKind, bytes: Uint8Array, start: number, end: number): Problem {
    if (kind === ValueKind.micros) {
      const reading = readDecimal(bytes, start, end, 0, this.#numbers, index);
      if (reading === DecimalReading.tooLarge) return bytes[start] === 0x2d ? Problem.tooEarly : Problem.tooLate;
      if (reading !== DecimalReading.exact) return Problem.notTimestamp;
    } else if (!this.#timestamps.read(bytes, start, end, this.#numbers, index)) {
      return Problem.notTimestamp;
    }
    const micros = this.#numbers[index] as number;
    if (micros < EARLIEST_EVENT_MICROS) return Problem.tooEarly;
    if (micros > (this.#latest[0] as number)) return Problem.tooLate;
    return this.#checkRange(plan, index);
  }

  #readDate(plan: FieldPlan, index: number, bytes: Uint8Array, start: number, end: number): Problem {
    return readDate(bytes, start, end, this.#numbers, index) ? this.#checkRange(plan, index) : Problem.notDate;
  }

  #readBoolean(index: number, bytes: Uint8Array, start: number, end: number): Problem {
    const length = end - start;
    let truth = -1;
    if (length === 1) truth = (bytes[start] as number) - 0x30;
    else if (length === 4) truth = equalsLowered(TRUE, bytes, start) ? 1 : -1;
    else if (length === 5) truth = equalsLowered(FALSE, bytes, start) ? 0 : -1;
    if (truth !== 0 && truth !== 1) return Problem.notBoolean;
    this.#numbers[index] = truth;
    return Problem.none;
  }

  #checkRange(plan: FieldPlan, index: number): Problem {
    const value = this.#numbers[index] as number;
    if (value < plan.minimum) return Problem.belowMinimum;
    return value > plan.maximum ? Problem.aboveMaximum : Problem.none;
  }

  #keepText(index: number, bytes: Uint8Array, start: number, end: number): void {
    this.#buffers[index] = bytes;
    this.#starts[index] = start;
    this.#ends[index] = end;
  }

  #refuse(plan: FieldPlan, index: number, problem: Problem, kind: ValueKind, bytes: Uint8Array, start: number, end: number): void {
    this.#present[index] = 0;
    this.#violations.push(describeProblem(problem, plan.field, { kind, bytes, start, end }));
  }
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

/** Length and pattern of a text. */
function checkText(plan: FieldPlan, bytes: Uint8Array, start: number, end: number): Problem {
  if (!hasAtMostCharacters(bytes, start, end, plan.maxLength)) return Problem.tooLong;
  if (plan.minLength > 0 && !hasAtLeastCharacters(bytes, start, end, plan.minLength)) return Problem.tooShort;
  return plan.pattern === null || plan.pattern.test(textOf(bytes, start, end)) ? Problem.none : Problem.pattern;
}

function amountProblem(reading: AmountReading): Problem {
  switch (reading) {
    case AmountReading.negative:
      return Problem.negative;
    case AmountReading.tooLarge:
      return Problem.tooLarge;
    case AmountReading.tooPrecise:
      return Problem.tooPrecise;
    default:
      return Problem.notNumber;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** `-?digits` */
function isInteger(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] === 0x2d ? start + 1 : start;
  for (let position = first; position < end; position++) {
    const byte = bytes[position] as number;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return first < end;
}

/** Whether bytes from `start` on are `expected`, whatever their case. */
function equalsLowered(expected: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (((bytes[start + index] as number) | 0x20) !== expected[index]) return false;
  }
  return true;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
