import { describe, expect, it } from 'vitest';
import { detectEncoding } from './detect-encoding.ts';

describe('the encoding of a file', () => {
  it.each([
    ['Obj\x01\x04', 'events.json', 'avro'],
    ['{"a":1}', 'events.csv', 'json'],
    ['[1]', 'events', 'json'],
    ['\ufeff \r\n\t{"a":1}', 'events', 'json'],
    ['user,id', 'events.csv', 'csv'],
    ['user\tid', 'events.TSV', 'csv'],
    ['user,id', 'folder.json/events.csv.gz', 'csv'],
    ['not json', 'events.ndjson.zst', 'json'],
    ['not json', 'events.jsonl', 'json'],
    ['', 'events.avro', 'avro'],
    ['', 'events.json.gz', 'json'],
    ['user,id', 'events.txt', undefined],
    ['Obj', '-', undefined],
    ['', '', undefined],
  ])('that starts with %j and is called %j is %s', (start, path, encoding) => {
    expect(detectEncoding(Buffer.from(start), path)).toBe(encoding);
  });
});
