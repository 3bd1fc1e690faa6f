/** A click or a conversion on its way to a CSV row: each cell's text before quoting. */
export interface ResponseRecord {
  timestamp: string;
  userId: string;
  campaignId: string;
  conversionType: string;
  eventId: string;
  eventType: string;
  creativeId: string;
  orderId: string;
  value: string;
  currency: string;
  userAgent: string;
  ip: string;
  /** Not written: the time that `timestamp` spells. */
  eventMicros: number;
}

export const RESPONSE_HEADER = 'timestamp,user_id,campaign_id,conversion_type,event_id,event_type,creative_id,order_id,value,currency,user_agent,ip\n';

export function emptyResponse(): ResponseRecord {
  return {
    timestamp: '',
    userId: '',
    campaignId: '',
    conversionType: '',
    eventId: '',
    eventType: '',
    creativeId: '',
    orderId: '',
    value: '',
    currency: '',
    userAgent: '',
    ip: '',
    eventMicros: 0,
  };
}

export function spellResponse(r: ResponseRecord): string {
  return `${csvCell(r.timestamp)},${csvCell(r.userId)},${csvCell(r.campaignId)},${csvCell(r.conversionType)},${csvCell(r.eventId)},${csvCell(r.eventType)},${csvCell(r.creativeId)},${csvCell(r.orderId)},${csvCell(r.value)},${csvCell(r.currency)},${csvCell(r.userAgent)},${csvCell(r.ip)}\n`;
}

const NEEDS_QUOTES = /[",\r\n]/;

/** RFC 4180. */
export function csvCell(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
