import { readFile } from 'node:fs/promises';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { AdvertiseXError } from '../domain/errors.ts';

/** Keys and indexes from a contract's root to a place in it. */
export type Place = readonly (string | number)[];

/** Something wrong in a contract file. */
export interface ContractFault {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  /** `auction.amount, logicalTypeOptions.minimum`; empty for the whole file. */
  readonly place: string;
  /** What is wrong, and what was expected. */
  readonly message: string;
}

/** A contract file as parsed, which can still say where in the text everything stands. */
export class ContractFile {
  readonly path: string;
  readonly text: string;
  readonly root: unknown;
  readonly faults: ContractFault[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;

  private constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const error of this.#document.errors) {
      this.faults.push({ path, line: this.#lines.linePos(error.pos[0]).line, place: '', message: `is not valid YAML: ${error.message}` });
    }
    this.root = this.faults.length === 0 ? this.#toPlainData() : undefined;
  }

  static async read(path: string): Promise<ContractFile> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      throw new AdvertiseXError(
        'contract_invalid',
        `${path}: the contract cannot be read`,
        'Check that the file is there and may be read; `advertisex init` writes the contracts anew.',
        cause,
      );
    }
    return new ContractFile(path, text);
  }

  static parse(path: string, text: string): ContractFile {
    return new ContractFile(path, text);
  }

  fault(place: Place, message: string): void {
    this.faults.push({ path: this.path, line: this.#lineOf(place), place: this.#nameOf(place), message });
  }

  #toPlainData(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      this.fault([], `is not valid YAML: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #lineOf(place: Place): number {
    for (let length = place.length; length > 0; length--) {
      const node = this.#document.getIn(place.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return this.#lines.linePos(node.range[0]).line;
    }
    return 1;
  }

  /** Properties by their names instead of their numbers: `schema[0].properties[1].properties[2].required` is `auction.amount, required`. */
  #nameOf(place: Place): string {
    const names: string[] = [];
    const rest: (string | number)[] = [];
    let value: unknown = this.root;
    for (const [index, key] of place.entries()) {
      value = isRecord(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[key] : undefined;
      if (typeof key === 'number' && place[index - 1] === 'properties' && isRecord(value) && typeof value['name'] === 'string') {
        names.push(value['name']);
        rest.length = 0;
      } else {
        rest.push(key);
      }
    }
    const inside = rest.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    return [names.join('.'), inside.replace(/^\./, '')].filter((part) => part !== '').join(', ');
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One line a fault: `contracts/users.odcs.yaml:34: age, logicalType: …` */
export function formatFault(fault: ContractFault): string {
  return `${fault.path}:${fault.line}: ${fault.place === '' ? '' : `${fault.place}: `}${fault.message}`;
}
