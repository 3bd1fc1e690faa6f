import { AdvertiseXError } from '../domain/errors.ts';
import { elementsAt, type Member, membersAt, type Span, skipSpace } from './json-spans.ts';

const REQUIRED = ['id', 'source', 'specversion', 'type'];
const TEXTS = new Set([...REQUIRED, 'datacontenttype', 'dataschema', 'subject', 'time']);
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const JSON_TYPE = /^(?:application|text)\/(?:json|[^;\s]+\+json)(?:\s*;|$)/i;

/**
 * The records in CloudEvents 1.0 (JSON format, one or a batch): the `data` of each, as it was written, in lines. A fault of one
 * refuses all, with its place: an envelope that cannot be read says nothing of what it holds.
 */
export function recordsOfCloudEvents(text: string, envelopes: 'one' | 'many'): readonly string[] {
  requireJson(text);
  const start = skipSpace(text, 0);
  if (text[start] !== (envelopes === 'one' ? '{' : '[')) throw fault('', `is not a JSON ${envelopes === 'one' ? 'object' : 'array'}`);
  if (envelopes === 'one') return [recordOf(text, start, '')];
  return elementsAt(text, start).map((element, index) => {
    if (text[element.start] !== '{') throw fault(`/${index}`, 'is not a JSON object');
    return recordOf(text, element.start, `/${index}`);
  });
}

function recordOf(text: string, start: number, place: string): string {
  const members = new Map<string, Member>();
  for (const member of membersAt(text, start)) {
    if (members.has(member.name)) throw fault(`${place}/${escapeName(member.name)}`, 'is there twice');
    if (sliceOf(text, member) !== 'null') members.set(member.name, member);
  }
  const attributes = readAttributes(text, members, place);
  for (const name of REQUIRED) if (!attributes.has(name)) throw fault(`${place}/${name}`, 'is missing');
  if (attributes.get('specversion') !== '1.0') throw fault(`${place}/specversion`, 'is not 1.0');
  if (!TIME.test(attributes.get('time') ?? '2000-01-01T00:00:00Z')) throw fault(`${place}/time`, 'is not a time of RFC 3339');
  if (!JSON_TYPE.test(attributes.get('datacontenttype') ?? 'application/json')) {
    throw fault(`${place}/datacontenttype`, 'is not JSON, and records in CloudEvents have to be');
  }
  return dataOf(text, members, place);
}

function readAttributes(text: string, members: ReadonlyMap<string, Member>, place: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [name, member] of members) {
    if (name === 'data' || name === 'data_base64') continue;
    const at = `${place}/${escapeName(name)}`;
    if (!/^[a-z0-9]+$/.test(name)) throw fault(at, 'is not the name of an attribute: small letters and digits');
    const value: unknown = JSON.parse(sliceOf(text, member));
    if (TEXTS.has(name)) {
      if (typeof value !== 'string' || value === '') throw fault(at, 'is not a text with something in it');
      attributes.set(name, value);
    } else if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isInteger(value)) {
      throw fault(at, 'is not a text, a boolean or an integer');
    }
  }
  return attributes;
}

function dataOf(text: string, members: ReadonlyMap<string, Member>, place: string): string {
  const plain = members.get('data');
  const encoded = members.get('data_base64');
  if (plain !== undefined && encoded !== undefined) throw fault(`${place}/data_base64`, 'stands beside data, and only one of them may be there');
  const data = encoded === undefined ? plain && sliceOf(text, plain) : decodeBase64(sliceOf(text, encoded), `${place}/data_base64`);
  if (data === undefined) throw fault(`${place}/data`, 'is missing, and it is the record');
  if (!data.startsWith('{')) throw fault(`${place}/${encoded === undefined ? 'data' : 'data_base64'}`, 'is not a JSON object');
  // A line break of JSON that was taken is white space: within a text it is escaped.
  return data.replace(/[\r\n]+/g, ' ');
}

function decodeBase64(json: string, place: string): string {
  const encoded: unknown = JSON.parse(json);
  if (typeof encoded !== 'string' || !BASE64.test(encoded)) throw fault(place, 'is not base64');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
    JSON.parse(text);
    return text.trim();
  } catch (cause) {
    throw fault(place, 'is not JSON in UTF-8', cause);
  }
}

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw fault('', `is not JSON: ${(cause as Error).message.slice(0, 200)}`, cause);
  }
}

function sliceOf(text: string, { start, end }: Span): string {
  return text.slice(start, end);
}

function escapeName(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}

function fault(pointer: string, message: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError(
    'request_invalid',
    `The CloudEvent ${pointer === '' ? '' : `at ${pointer} `}is not valid: ${pointer.split('/').at(-1) || 'it'} ${message}`,
    'Correct it, and send the whole request again: none of its events was taken.',
    cause,
  );
}
