/** JSON: lines, objects that follow each other, or one array. Numbers keep their text. */
import { type Decoded, type Raw, utf8 } from './decode.ts';

export function decodeJson(bytes: Uint8Array, recordBytes: number): Decoded[] {
  // One character a byte, so that positions are byte offsets; text becomes UTF-8 where it is used.
  const input = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const reader = new JsonReader(input);
  reader.skipSpace();
  return input[reader.at] === '[' ? decodeArray(reader, recordBytes) : decodeObjects(reader, recordBytes);
}

function decodeObjects(reader: JsonReader, recordBytes: number): Decoded[] {
  const records: Decoded[] = [];
  for (reader.skipSpace(); reader.at < reader.input.length; reader.skipSpace()) {
    const start = reader.at;
    try {
      if (reader.input[start] !== '{') throw new SyntaxError('not an object');
      records.push(judge(reader.value(), reader.input.slice(start, reader.at), recordBytes));
    } catch {
      // One line is lost; of an object that is laid out, its brace alone on the first line, all lines up to the next one with a brace in front.
      records.push({ problem: 'malformed' });
      const laidOut = /^\{[ \t\r]*\n/.test(reader.input.slice(start));
      const lineBreak = reader.input.indexOf(laidOut ? '\n{' : '\n', start);
      reader.at = lineBreak < 0 ? reader.input.length : lineBreak + 1;
    }
  }
  return records;
}

function decodeArray(reader: JsonReader, recordBytes: number): Decoded[] {
  const records: Decoded[] = [];
  try {
    reader.expect('[');
    reader.skipSpace();
    if (reader.input[reader.at] === ']') reader.at++;
    else
      for (;;) {
        reader.skipSpace();
        const start = reader.at;
        records.push(judge(reader.value(), reader.input.slice(start, reader.at), recordBytes));
        reader.skipSpace();
        if (reader.input[reader.at++] !== ',') break;
      }
    if (reader.input[reader.at - 1] !== ']') throw new SyntaxError('the array does not end');
    reader.skipSpace();
    if (reader.at < reader.input.length) throw new SyntaxError('something stands after the array');
  } catch {
    records.push({ problem: 'malformed' });
  }
  return records;
}

function judge(record: Raw, source: string, recordBytes: number): Decoded {
  if (source.length > recordBytes) return { problem: 'too_large' };
  if (record.members === undefined || utf8(source) === null) return { problem: 'malformed' };
  return { record };
}

class JsonReader {
  readonly input: string;
  at = 0;

  constructor(input: string) {
    this.input = input;
  }

  skipSpace(): void {
    while (/[ \t\r\n]/.test(this.input[this.at] ?? '')) this.at++;
  }

  expect(token: string): void {
    if (!this.input.startsWith(token, this.at)) throw new SyntaxError(`${token} expected at ${this.at}`);
    this.at += token.length;
  }

  value(): Raw {
    const first = this.input[this.at];
    if (first === '{') return this.object();
    if (first === '[') return this.array();
    if (first === '"') return { kind: 'text', text: this.string() };
    for (const word of ['true', 'false', 'null'])
      if (this.input.startsWith(word, this.at)) {
        this.at += word.length;
        return { kind: word === 'null' ? 'null' : 'boolean', text: word };
      }
    const number = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
    number.lastIndex = this.at;
    const text = number.exec(this.input)?.[0];
    if (text === undefined) throw new SyntaxError(`no value at ${this.at}`);
    this.at += text.length;
    return { kind: 'number', text };
  }

  object(): Raw {
    const members: [string, Raw][] = [];
    this.expect('{');
    this.skipSpace();
    if (this.input[this.at] === '}') this.at++;
    else
      for (;;) {
        this.skipSpace();
        const name = this.string();
        this.skipSpace();
        this.expect(':');
        this.skipSpace();
        members.push([name, this.value()]);
        this.skipSpace();
        if (this.input[this.at] === '}') break;
        this.expect(',');
      }
    if (members.length > 0) this.expect('}');
    return { kind: 'nested', text: '', members };
  }

  array(): Raw {
    this.expect('[');
    this.skipSpace();
    if (this.input[this.at] === ']') this.at++;
    else
      for (;;) {
        this.skipSpace();
        this.value();
        this.skipSpace();
        if (this.input[this.at] === ']') {
          this.at++;
          break;
        }
        this.expect(',');
      }
    return { kind: 'nested', text: '' };
  }

  string(): string {
    const quoted = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    quoted.lastIndex = this.at;
    const source = quoted.exec(this.input)?.[0];
    if (source === undefined) throw new SyntaxError(`no text at ${this.at}`);
    this.at += source.length;
    // Bad UTF-8 inside is found when the whole record is judged.
    const text = JSON.parse(utf8(source) ?? source) as string;
    if (!text.isWellFormed()) throw new SyntaxError('half of a surrogate pair is no character');
    return text;
  }
}
