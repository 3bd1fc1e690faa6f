/**
 * An impression on its way to a JSON line. Each field holds its whole member as it stands in JSON, `,"price":1.25`, comma
 * first (but for the first three), or nothing where the field is left out. So a fault is one assignment, and what belongs to a
 * site, a device or a place is spelled once and not for each record.
 */
export interface ImpressionRecord {
  /** `"impression_id":"…",` with the comma after it. */
  impressionId: string;
  /** `"timestamp":"…",` likewise. */
  timestamp: string;
  /** `"user_id":"…"`: never left out, so that a comma has a member on either side. */
  userId: string;
  creativeId: string;
  campaignId: string;
  auctionId: string;
  placementId: string;
  website: string;
  price: string;
  currency: string;
  userAgent: string;
  ip: string;
  country: string;
  deviceType: string;
  viewable: string;
  consent: string;
  /** Members that the contract does not know. */
  further: string;
  /** Not written: the time that `timestamp` spells. */
  eventMicros: number;
}

export function emptyImpression(): ImpressionRecord {
  return {
    impressionId: '',
    timestamp: '',
    userId: '',
    creativeId: '',
    campaignId: '',
    auctionId: '',
    placementId: '',
    website: '',
    price: '',
    currency: '',
    userAgent: '',
    ip: '',
    country: '',
    deviceType: '',
    viewable: '',
    consent: '',
    further: '',
    eventMicros: 0,
  };
}

/** One line with its line feed. By hand because `JSON.stringify` costs three times as much. */
export function spellImpression(r: ImpressionRecord): string {
  return `{${r.impressionId}${r.timestamp}${r.userId}${r.creativeId}${r.campaignId}${r.auctionId}${r.placementId}${r.website}${r.price}${r.currency}${r.userAgent}${r.ip}${r.country}${r.deviceType}${r.viewable}${r.consent}${r.further}}\n`;
}
