import { expect, it } from 'vitest';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { LogLine } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { RequestWatch } from './request-watch.ts';

function openWatch() {
  const lines: LogLine[] = [];
  const clock = { seconds: 100 };
  return {
    lines,
    clock,
    watch: new RequestWatch(
      new Metrics(),
      (line) => lines.push(line),
      () => clock.seconds,
    ),
  };
}

const busy = new AdvertiseXError('server_busy', 'Busy', 'Wait.');
const full = new AdvertiseXError('disk_full', 'Full', 'Make room.');

it('writes a line every five seconds of what comes by the thousand, and how many others there were', () => {
  const { lines, clock, watch } = openWatch();
  for (let request = 0; request < 1_000; request++) watch.failed('Busy', busy, `r${request}`);
  watch.failed('Full', full, 'f');
  clock.seconds += 4.9;
  watch.failed('Busy', busy, 'late');
  clock.seconds += 0.2;
  for (const id of ['next', 'last']) watch.failed('Busy', busy, id);
  clock.seconds += 5;
  watch.failed('Busy', busy, 'later');
  expect(lines.map(({ message, fields }) => [message, fields?.request_id, fields?.more])).toEqual([
    ['Busy', 'r0', undefined],
    ['Full', 'f', undefined],
    ['Busy (and 1000 more of the same)', 'next', 1_000],
    ['Busy (and 1 more of the same)', 'later', 1],
  ]);
});

it('writes a line of anything else, each time', () => {
  const { lines, watch } = openWatch();
  for (const error of [new AdvertiseXError('server_failed', 'No', 'Look.'), new Error('No'), 'No'])
    for (const id of ['a', undefined]) watch.failed('No', error, id);
  expect(lines.map(({ level, event, fields }) => [level, event, fields?.request_id])).toEqual(
    [1, 2, 3].flatMap(() => [
      ['warn', 'request_failed', 'a'],
      ['warn', 'server_reported', undefined],
    ]),
  );
});

it('speaks of requests that were answered at debug alone', () => {
  const { lines, watch } = openWatch();
  watch.answered({ requestId: 'r', method: 'POST', route: '/v1/events/:feed', status: '200', seconds: 0.0012345678 });
  expect(lines).toEqual([
    {
      level: 'debug',
      event: 'request',
      message: 'POST /v1/events/:feed: 200',
      fields: { request_id: 'r', method: 'POST', route: '/v1/events/:feed', status: '200', seconds: 0.001235 },
    },
  ]);
});
