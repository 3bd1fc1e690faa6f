import { describe, expect, it } from 'vitest';
import { AdvertiseXError } from '../domain/errors.ts';
import { jsonLog, type LogLevel, textLog } from './log.ts';
import { withoutSecrets } from './without-secrets.ts';

const NOW = Date.UTC(2026, 2, 1) * 1_000;

function jsonLines(level: LogLevel = 'info') {
  const lines: string[] = [];
  return {
    log: jsonLog(
      level,
      () => NOW,
      (line) => lines.push(line),
    ),
    lines,
    read: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('a log for programs', () => {
  it('has an object a line, with the same keys whatever happened', () => {
    const { log, lines, read } = jsonLines();
    log({ level: 'info', event: 'recovered', message: 'Found 2 records\nin the log.', fields: { entries: 1, records: 2 } });
    log({ level: 'warn', event: 'batch_failed', message: 'No.', error: new AdvertiseXError('disk_full', 'Full', 'Make room.', new Error('ENOSPC')) });
    expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
    const common = { time: '2026-03-01T00:00:00.000Z', name: 'advertisex', pid: process.pid };
    expect(read()).toEqual([
      { ...common, level: 'info', event: 'recovered', message: 'Found 2 records\nin the log.', entries: 1, records: 2 },
      {
        ...common,
        level: 'warn',
        event: 'batch_failed',
        message: 'No.',
        error: { code: 'disk_full', message: 'Full', next: 'Make room.', cause: { code: 'unexpected', message: 'ENOSPC' } },
      },
    ]);
  });

  it('shows where a defect is, and takes whatever is thrown', () => {
    const { log, read } = jsonLines();
    for (const error of [new TypeError('x is not a function'), 'a text', { an: 'object' }, null])
      log({ level: 'error', event: 'failed', message: 'No.', error });
    const [defect, text] = read().map(({ error }) => error as { message: string; stack?: string });
    expect(defect).toMatchObject({ code: 'unexpected', message: 'x is not a function', stack: expect.stringContaining('log.test.ts') });
    expect(text).toEqual({ code: 'unexpected', message: 'a text' });
  });

  it('ends with causes that are their own', () => {
    const { log, read } = jsonLines();
    const error = new Error('round');
    error.cause = error;
    log({ level: 'error', event: 'failed', message: 'No.', error });
    expect(read()).toHaveLength(1);
  });
});

it.each(['debug', 'info', 'warn', 'error'] as const)('says nothing below its level: %s', (level) => {
  const levels: LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const expected = levels.slice(levels.indexOf(level));
  const json = jsonLines(level);
  const said: string[] = [];
  const text = textLog(level, { note: (message) => said.push(`note ${message}`), warn: (message) => said.push(`warn ${message}`) });
  for (const each of levels) for (const log of [json.log, text]) log({ level: each, event: 'request', message: each });
  expect(json.read().map((line) => line['level'])).toEqual(expected);
  expect(said).toEqual(expected.map((each) => `${each === 'debug' || each === 'info' ? 'note' : 'warn'} ${each}`));
});

describe('what may not be told', () => {
  const SECRETS = ['s3cr3t-T0ken', 'user-4711'];
  const texts = [
    'Authorization: Bearer s3cr3t-T0ken',
    'authorization: basic s3cr3t-T0ken==',
    'GET /v1/pixel/ad-impressions.gif?creative_id=1&user_id=user-4711 failed',
    "'/v1/click?url=https://shop.example/&user_id=user-4711' is not a valid url component",
    'Could not cast {"user_id":"user-4711","x":1}',
    'Could not cast {\\"user_id\\": \\"user-4711\\"}',
    "row (user_id = 'user-4711')",
    'user_id: user-4711, x',
    'userId=user-4711',
  ];

  it.each(texts)('is hidden: %s', (text) => {
    for (const secret of SECRETS) expect(withoutSecrets(text)).not.toContain(secret);
  });

  it('is in no line, in no form', () => {
    const { log, lines } = jsonLines('debug');
    const said: string[] = [];
    const people = textLog('debug', { note: (text) => said.push(text), warn: (text) => said.push(text) });
    for (const text of texts) {
      const error = new AdvertiseXError('engine_failed', text, 'Try again.', new Error(text, { cause: text }));
      for (const write of [log, people]) write({ level: 'warn', event: 'batch_failed', message: text, error });
    }
    expect(lines.length + said.length).toBe(2 * texts.length);
    for (const secret of SECRETS) expect(`${lines.join('')}${said.join('')}`).not.toContain(secret);
  });

  it.each([
    'What is wrong? Nothing = fine.',
    'Taking records at http://127.0.0.1:8480/v1/events/<feed>. Ctrl-C stops.',
    '/srv/a?b/log/1.log: entries are lost',
  ])('is all that is hidden: %s', (text) => expect(withoutSecrets(text)).toBe(text));
});
