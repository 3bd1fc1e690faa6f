import { FIELDS, type SeenRecord, type SeenValue } from './decode-all.ts';

/*
 * A slow, plain reading of what the JSON decoder promises, over the whole input as one text: no chunks, no limits, no code
 * of the product. Strings are cut out by regular expressions, values are read by recursion.
 */

interface Value {
  readonly kind: SeenValue[0];
  readonly text: string;
  readonly members?: readonly (readonly [key: string, value: Value])[];
  readonly items?: readonly Value[];
}

/** The text is no JSON here. */
class Broken extends Error {}
/** It is JSON as far as it goes. */
class CutShort extends Broken {}

/** What a stream of objects (not an array) decodes to: records, and `malformed` for each line or object that is none. */
export function readObjects(bytes: Uint8Array): { readonly outcomes: (SeenRecord | string)[]; readonly complete: boolean } {
  // Latin-1 keeps a byte a character: places are byte places, and UTF-8 is looked at record by record.
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const outcomes: (SeenRecord | string)[] = [];
  let at = 0;
  for (;;) {
    at = behind(text, at, /[ \t\r\n]*/y);
    if (at >= text.length) return { outcomes, complete: true };
    const lineEnd = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at);
    try {
      if (text[at] !== '{') throw new Broken();
      const { value, end } = readValue(text, at);
      const next = behind(text, end, /[ \t\r]*/y);
      if (next < text.length && text[next] !== '\n' && text[next] !== '{') throw new Broken();
      outcomes.push(recordOf(value, text.slice(at, end)));
      at = end;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      outcomes.push('malformed');
      const laidOut = /^\{[ \t\r]*\n/.test(text.slice(at));
      if (error instanceof CutShort && (laidOut || lineEnd === text.length)) return { outcomes, complete: false };
      const nextBrace = text.indexOf('\n{', at);
      at = !laidOut ? lineEnd : nextBrace < 0 ? text.length : nextBrace;
    }
  }
}

/** The contract's fields of one object. */
function recordOf(value: Value, source: string): SeenRecord | string {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(source, 'latin1'));
  } catch {
    return 'malformed';
  }
  if (depthOf(value) > 64) return 'malformed';
  const found: Record<string, SeenValue> = {};
  let isFlawed = false;
  const walk = (members: readonly (readonly [string, Value])[], prefix: string): void => {
    const interior = new Set<string>();
    for (const [key, member] of members) {
      const path = `${prefix}${key}`;
      if ((FIELDS as readonly string[]).includes(path)) {
        if (path in found) isFlawed = true;
        if (member.text.includes('\ud800')) isFlawed = true;
        found[path] = [member.kind, member.kind === 'null' || member.kind === 'nested' ? '' : member.text];
      }
      if (FIELDS.some((name) => name.startsWith(`${path}.`))) {
        if (interior.has(key)) isFlawed = true;
        interior.add(key);
        if (member.members !== undefined) walk(member.members, `${path}.`);
      }
    }
  };
  walk(value.members ?? [], '');
  return isFlawed ? 'malformed' : found;
}

function readValue(text: string, at: number): { readonly value: Value; readonly end: number } {
  if (at >= text.length) throw new CutShort();
  const first = text[at];
  if (first === '"') {
    const end = behind(text, at, STRING);
    if (end < 0) throw behind(text, at, CUT_STRING) < 0 ? new Broken() : new CutShort();
    return { value: { kind: 'text', text: unescaped(text.slice(at + 1, end - 1)) }, end };
  }
  if (first === '{' || first === '[') return readNested(text, at, first === '{');
  if (behind(text, at, CUT_WORD) >= 0) throw new CutShort();
  const end = behind(text, at, WORD);
  if (end < 0) throw new Broken();
  const word = text.slice(at, end);
  return { value: { kind: word === 'null' ? 'null' : word === 'true' || word === 'false' ? 'boolean' : 'number', text: word }, end };
}

function readNested(text: string, start: number, isObject: boolean): { readonly value: Value; readonly end: number } {
  const members: [string, Value][] = [];
  const close = isObject ? '}' : ']';
  let at = behind(text, start + 1, SPACE);
  const nested = (): Value => ({ kind: 'nested', text: '', ...(isObject ? { members } : { items: members.map(([, value]) => value) }) });
  if (text[at] === close) return { value: nested(), end: at + 1 };
  for (;;) {
    let key = '';
    if (isObject) {
      if (at < text.length && text[at] !== '"') throw new Broken();
      const { value, end } = readValue(text, at);
      key = value.text;
      at = expectOneOf(text, end, ':') + 1;
      at = behind(text, at, SPACE);
    }
    const { value, end } = readValue(text, at);
    members.push([key, value]);
    at = expectOneOf(text, end, `,${close}`);
    if (text[at] === close) return { value: nested(), end: at + 1 };
    at = behind(text, at + 1, SPACE);
  }
}

/** The place of the next character that is no white space, which must be one of these. */
function expectOneOf(text: string, start: number, wanted: string): number {
  const at = behind(text, start, SPACE);
  if (at >= text.length) throw new CutShort();
  if (!wanted.includes(text[at] as string)) throw new Broken();
  return at;
}

const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const CUT_STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*(?:\\(?:u[0-9a-fA-F]{0,3})?)?$/y;
const WORD = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const CUT_WORD = /(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-|-?(?:0|[1-9]\d*)(?:\.|(?:\.\d+)?[eE][+-]?))$/y;
const SPACE = /[ \t\r\n]*/y;

function behind(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** Of bytes as characters: UTF-8 is read after escapes; half a surrogate pair stays as U+D800. */
function unescaped(raw: string): string {
  const utf8 = Buffer.from(raw, 'latin1').toString();
  return (JSON.parse(`"${utf8}"`) as string).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ud800');
}

function depthOf(value: Value): number {
  const inner = value.members?.map(([, member]) => member) ?? value.items;
  return inner === undefined ? 0 : 1 + Math.max(0, ...inner.map(depthOf));
}
