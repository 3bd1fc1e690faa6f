/** The texts that mean absent, compiled so that the usual value is told apart by its length or its first byte. */
export class NullSpellings {
  readonly #emptyIsNull: boolean;
  readonly #longest: number;
  /** 1 where a spelling begins with this byte. */
  readonly #firstBytes = new Uint8Array(256);
  readonly #spellings: readonly Uint8Array[];

  constructor(spellings: readonly string[]) {
    // Values are trimmed before they are compared, so a spelling with blanks around it could never match.
    const trimmed = [...new Set(spellings.map((spelling) => spelling.replace(/^[ \t]+|[ \t]+$/g, '')))];
    this.#emptyIsNull = trimmed.includes('');
    this.#spellings = trimmed.filter((spelling) => spelling !== '').map((spelling) => new Uint8Array(Buffer.from(spelling, 'utf8')));
    this.#longest = this.#spellings.reduce((longest, spelling) => Math.max(longest, spelling.length), 0);
    for (const spelling of this.#spellings) this.#firstBytes[spelling[0] as number] = 1;
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return this.#emptyIsNull;
    if (end - start > this.#longest || this.#firstBytes[bytes[start] as number] === 0) return false;
    return this.#matchesOne(bytes, start, end);
  }

  #matchesOne(bytes: Uint8Array, start: number, end: number): boolean {
    for (const spelling of this.#spellings) {
      if (sameBytes(spelling, bytes, start, end)) return true;
    }
    return false;
  }
}

export function sameBytes(expected: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (expected.length !== end - start) return false;
  for (let index = 0; index < expected.length; index++) {
    if (expected[index] !== bytes[start + index]) return false;
  }
  return true;
}
