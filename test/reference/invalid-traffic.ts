/** SEMANTICS §7: events that are not counted as valid, and why. */
import { isbot } from 'isbot';
import { ascending, DAY, type ReferenceSettings, type Row, SECOND } from './words.ts';

/** Impressions, conversions: bots only. Bid requests have no user agent, and are always valid. */
export function flagBots(events: readonly Row[]): Row[] {
  return events.map((event) => judged(event, isBot(event) ? ['bot_user_agent'] : []));
}

/** Clicks of one user on one campaign are judged in order of time, ties by key; what was valid before decides. */
export function flagClicks(clicks: readonly Row[], settings: ReferenceSettings): Row[] {
  const flagged: Row[] = [];
  for (const click of clicks.toSorted(ascending('event_time', 'event_key'))) {
    const time = click['event_time'] as bigint;
    const day = time / DAY;
    const validBefore = flagged.filter((other) => other['valid'] && other['user_id'] === click['user_id'] && other['campaign_id'] === click['campaign_id']);
    const last = validBefore.at(-1);
    const sameDay = validBefore.filter((other) => (other['event_time'] as bigint) / DAY === day);

    const reasons: string[] = [];
    if (isBot(click)) reasons.push('bot_user_agent');
    if (last !== undefined && time - (last['event_time'] as bigint) <= BigInt(settings.invalid_traffic.double_click_seconds) * SECOND)
      reasons.push('double_click');
    if (reasons.length === 0 && sameDay.length >= settings.invalid_traffic.click_flood_per_day) reasons.push('click_flood');
    flagged.push(judged(click, reasons));
  }
  return flagged;
}

function isBot(event: Row): boolean {
  return typeof event['user_agent'] === 'string' && isbot(event['user_agent']);
}

function judged(event: Row, reasons: readonly string[]): Row {
  return { ...event, valid: reasons.length === 0, invalid_reasons: reasons.length === 0 ? null : reasons.join(',') };
}
