import type { ContractCheck, NormalisedRecord } from '../contracts/contract.ts';
import type { EventFeed, EventType } from '../domain/feeds.ts';
import type { Violation } from '../domain/outcome.ts';
import { type FieldSlot, fieldSlots, fieldText } from './field-slots.ts';

/** Which event a record of a feed is (SEMANTICS §2). */
export type ClassifyEvent = (record: NormalisedRecord) => EventType;

export function classifierOf(feed: EventFeed, check: ContractCheck): ClassifyEvent {
  if (feed === 'ad-impressions') return () => 'impression';
  if (feed === 'bid-requests') return () => 'bid_request';
  const slots = fieldSlots(check.contract);
  const eventType = slots.get('event_type');
  const conversionType = slots.get('conversion_type');
  return (record) => {
    if (eventType !== undefined && record.present[eventType.slot] === 1) return textLength(record, eventType) === CLICK.length ? 'click' : 'conversion';
    return conversionType === undefined || record.present[conversionType.slot] === 0 || isClick(record, conversionType) ? 'click' : 'conversion';
  };
}

/** What a click and a conversion must have beyond their common contract. */
export function missingFields(eventType: EventType, record: NormalisedRecord, slots: ReadonlyMap<string, FieldSlot>): Violation[] {
  const needed = eventType === 'click' ? 'campaign_id' : eventType === 'conversion' ? 'conversion_type' : undefined;
  const field = needed === undefined ? undefined : slots.get(needed);
  if (field === undefined || record.present[field.slot] === 1) return [];
  return [
    {
      code: 'missing_field',
      pointer: `/${needed}`,
      message:
        eventType === 'click'
          ? 'A click must name its campaign_id; only a conversion may leave it empty.'
          : 'A record with event_type conversion must name its conversion_type.',
    },
  ];
}

const CLICK = 'click';

function textLength(record: NormalisedRecord, field: FieldSlot): number {
  return (record.ends[field.slot] as number) - (record.starts[field.slot] as number);
}

function isClick(record: NormalisedRecord, field: FieldSlot): boolean {
  return textLength(record, field) === CLICK.length && fieldText(record, field)?.toLowerCase() === CLICK;
}
