import type { Feed } from '../../src/domain/feeds.ts';

export interface RequestToSend {
  readonly feed: Feed;
  readonly body: string;
}

/** A request in 50 has clicks and conversions; the others impressions and bid requests in turn. */
export function isOfResponses(index: number): boolean {
  return index % 50 === 49;
}

/**
 * The events of a request, new ones all of them. Impressions and bid requests name their request in their id (`r12-3`). Clicks follow the impressions
 * of the request before, and one in 25 is followed by a conversion.
 */
export function makeRequest(index: number, events: number, nowMillis: number): RequestToSend {
  const time = new Date(nowMillis).toISOString();
  if (isOfResponses(index)) return { feed: 'clicks-conversions', body: linesOf(events, (place) => response(index - 1, place, time)) };
  return index % 2 === 0
    ? { feed: 'ad-impressions', body: linesOf(events, (place) => impression(index, place, time)) }
    : { feed: 'bid-requests', body: linesOf(events, (place) => bidRequest(index, place, time)) };
}

function linesOf(count: number, line: (place: number) => string): string {
  let lines = '';
  for (let place = 0; place < count; place++) lines += `${line(place)}\n`;
  return lines;
}

const USER_AGENT = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

function impression(index: number, place: number, time: string): string {
  return `{"impression_id":"r${index}-${place}","creative_id":"cr-${place % 97}","user_id":"${userOf(index, place)}","timestamp":"${time}","website":"site-${place % 300}.example","campaign_id":"${campaignOf(index, place)}","placement_id":"sp-${place % 40}","price":2.5,"currency":"USD","user_agent":"${USER_AGENT}","country":"US","device_type":"mobile"}`;
}

function bidRequest(index: number, place: number, time: string): string {
  return `{"request_id":"r${index}-${place}","auction":{"user_id":"${userOf(index, place)}","space_id":"sp-${place % 40}","amount":1.25,"campaign_id":"${campaignOf(index, place)}"},"timestamp":"${time}","bidder":{"client_id":"dsp-${place % 6}"}}`;
}

function response(index: number, place: number, time: string): string {
  const type = place % 25 === 24 ? 'purchase' : 'click';
  const shown = place % 25 === 24 ? place - 1 : place;
  return `{"timestamp":"${time}","user_id":"${userOf(index, shown)}","campaign_id":"${campaignOf(index, shown)}","conversion_type":"${type}"}`;
}

function userOf(index: number, place: number): string {
  return `u-${(index * 7_919 + place * 104_729) % 50_000}`;
}

function campaignOf(index: number, place: number): string {
  return `c-${(index + place) % 20}`;
}
