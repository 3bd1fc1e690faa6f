import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compareWithTables } from '../../src/app/chaos/compare-with-tables.ts';
import { type SentRequest, SentRequests } from '../../src/app/chaos/sent-requests.ts';
import { withInstance } from '../faults/open-instance.ts';
import { openSmallLive } from './open-small-live.ts';

/** What chaos says of tables that really hold something else than senders know. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-compared-'));
afterAll(() => rmSync(folder, { recursive: true }));

const event = (number: number, user = 'u') =>
  `${JSON.stringify({ impression_id: `n${String(number).padStart(10, '0')}`, creative_id: 'k', user_id: user, timestamp: '2026-03-02T10:00:00Z', website: 'w.example' })}\n`;

it('names what is missing, doubled, half there, or should not be there, and nothing else', async () => {
  await withInstance(join(folder, 'data'), {}, async (instance) => {
    const { live } = await openSmallLive(instance);
    const take = (...events: string[]) => live.take({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', body: Buffer.from(events.join('')) });
    await take(event(0), event(1, ''), event(2));
    await take(event(5), event(6));
    await take(event(9));
    await take(event(10, ''));
    await take(event(10, ''));
    await take(event(11, ''), event(12));
    await take(event(11, ''), event(12));
    await live.stop();

    const requests = new SentRequests();
    const sent = (first: number, count: number, more: Partial<SentRequest> = {}) =>
      requests.all.push({ feed: 'ad-impressions', first, count, life: 1, sent: 1, isCut: false, answeredAtMicros: 1, isDestroyed: false, ...more });
    sent(0, 3);
    sent(3, 2, { life: 2 });
    sent(5, 4, { answeredAtMicros: 0 });
    sent(9, 1, { answeredAtMicros: 0, isCut: true });
    sent(10, 1);
    sent(11, 2, { sent: 2 });
    sent(13, 2, { answeredAtMicros: 0 });
    sent(15, 1, { isDestroyed: true });
    const { findings, takenTwice, records } = await compareWithTables(instance, requests, 16);
    expect(findings.map(({ finding, number, life }) => `${finding} ${number} ${life}`)).toEqual([
      'missing 3 2',
      'missing 4 2',
      'partial 7 1',
      'partial 8 1',
      'cut 9 1',
      'doubled 10 1',
    ]);
    expect(takenTwice).toEqual([]);
    expect(records).toEqual({ acknowledged: 9, unanswered: 7, unansweredInTables: 3, destroyed: 1, inTables: 6, inQuarantine: 5 });
    for (const request of requests.all) request.sent = 1;
    expect((await compareWithTables(instance, requests, 16)).takenTwice).toEqual([{ feed: 'ad-impressions', duplicates: 1, sentAgain: 0 }]);
  });
});

it('finds the request of a number', () => {
  const requests = new SentRequests();
  const request = (first: number, count: number) => ({
    feed: 'users' as const,
    first,
    count,
    headers: {},
    body: Buffer.alloc(0),
    cutAfterBytes: undefined,
    isSentAgain: false,
  });
  const [a, b] = [requests.begin(request(0, 3), 1), requests.begin(request(5, 1), 1)];
  expect([0, 2, 3, 5, 6].map((number) => requests.of(number))).toEqual([a, a, undefined, b, undefined]);
});
