import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostReader, MAX_HOST_BYTES } from './host.ts';

function read(text: string): string | null {
  const bytes = Buffer.from(`X${text}X`);
  const before = Buffer.from(bytes);
  const reader = new HostReader();
  const found = reader.read(bytes, 1, bytes.length - 1);
  expect(bytes, 'what was given is left alone').toEqual(before);
  return found ? Buffer.from(reader.buffer.subarray(reader.start, reader.end)).toString() : null;
}

const LONGEST = `${'a'.repeat(MAX_HOST_BYTES - 4)}.com`;

describe('HostReader', () => {
  test.each<[string, string | null]>([
    ['example.com', 'example.com'],
    ['www.example.com', 'example.com'],
    ['WWW.Example.COM', 'example.com'],
    ['www.www.example.com', 'www.example.com'],
    ['wwww.example.com', 'wwww.example.com'],
    ['www2.example.com', 'www2.example.com'],
    ['www', 'www'],
    ['example.com.', 'example.com'],
    ['example.com..', 'example.com.'],
    ['example.com:', 'example.com'],
    ['example.com:http', 'example.com:http'],
    ['example.com:80:81', 'example.com:80'],
    ['https://example.com', 'example.com'],
    ['HTTPS://User:Pa%40ss@www.Example.com.:8443/a/B?c=D#e', 'example.com'],
    ['http://a@b@example.com/', 'example.com'],
    ['//cdn.example.com/x', 'cdn.example.com'],
    ['android-app+x.1://com.example.app/', 'com.example.app'],
    ['example.com/page', 'example.com'],
    ['example.com?x=1', 'example.com'],
    ['example.com#top', 'example.com'],
    ['example.com:80', 'example.com'],
    ['example.com/go?to=https://other.example', 'example.com'],
    ['example.com?mail=a@b.example', 'example.com'],
    ['localhost', 'localhost'],
    ['203.0.113.7:80', '203.0.113.7'],
    ['http://[2001:DB8::7]:80/x', '[2001:db8::7]'],
    ['my_site.example', 'my_site.example'],
    ['xn--Mnchen-3ya.de', 'xn--mnchen-3ya.de'],
    ['https://www.MÜNCHEN.de/', 'münchen.de'],
    ['ΑΘΗΝΑ.gr', 'αθηνα.gr'],
    [LONGEST, LONGEST],
    [`https://www.${LONGEST}/`, LONGEST],
    [LONGEST.toUpperCase(), LONGEST],
    [`a${LONGEST}`, null],
    [`A${LONGEST}`, null],
    ['ü'.repeat(126), 'ü'.repeat(126)],
    ['ü'.repeat(127), null],
    ['', null],
    ['.', null],
    ['www.', 'www'],
    ['www..', null],
    ['http://', null],
    ['https:///path', null],
    ['/path', null],
    ['?q', null],
    ['user@', null],
    [':80', null],
    ['exa mple.com', null],
    ['example.com /x', null],
    ['exam\tple.com', null],
    ['exam\u00a0ple.com', null],
    ['exam\u3000ple.com', null],
    ['exam\u0000ple.com', null],
    ['exam\u007fple.com', null],
    ['exam\u0085ple.com', null],
  ])('%j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test('agrees with a slow reading of the same rules', () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9üÉ._@:/?#\-[\] ]{0,12}$/);
    const website = fc
      .tuple(
        fc.constantFrom('', 'http://', 'HTTPS://', '//', 'a+b.c-1://', '://'),
        fc.constantFrom('', 'u:p@', 'x@'),
        fc.constantFrom('', 'www.', 'WWW.'),
        part,
        fc.constantFrom('', '.', ':8080', '/p', '?q', '#f'),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(website, (text) => {
        expect(read(text)).toBe(readSlowly(text));
      }),
      { numRuns: 10_000 },
    );
  });
});

function readSlowly(text: string): string | null {
  let authority = text.replace(/^([a-z][a-z0-9+.-]*:)?\/\//i, '').replace(/[/?#].*$/s, '');
  authority = authority.slice(authority.lastIndexOf('@') + 1);
  const host = authority
    .replace(/:\d*$/, '')
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^www\./, '');
  return host === '' || Buffer.byteLength(host) > MAX_HOST_BYTES || /[\s\p{Cc}]/u.test(host) ? null : host;
}
