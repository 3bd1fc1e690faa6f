/** SEMANTICS §8, click → impression. */
import { ascending, type ReferenceSettings, type Row, SECOND } from './words.ts';

/** Every click, valid or not, with the latest valid impression of its user and campaign; NULL makes it an orphan. */
export function matchClicks(clicks: readonly Row[], impressions: readonly Row[], settings: ReferenceSettings): Row[] {
  const window = BigInt(settings.correlation.click_to_impression_seconds) * SECOND;
  return clicks.map((click) => {
    const candidates: Row[] = [];
    for (const impression of impressions) {
      const elapsed = (click['event_time'] as bigint) - (impression['event_time'] as bigint);
      const samePair = impression['user_id'] === click['user_id'] && impression['campaign_id'] === click['campaign_id'];
      if (impression['valid'] && samePair && elapsed >= 0n && elapsed < window) candidates.push(impression);
    }
    const latest = candidates.sort(ascending('event_time', 'event_key')).at(-1);
    return { ...click, impression_key: latest?.['event_key'] ?? null };
  });
}
