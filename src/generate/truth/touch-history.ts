import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '../diurnal-curve.ts';

/** A minute's impressions are not in order among themselves: how far a search must look past its window. */
const DISORDER_MICROS = 2 * MICROS_PER_MINUTE;
export const IMPRESSION_WINDOW_MICROS = MICROS_PER_DAY;
export const CLICK_WINDOW_MICROS = 30 * MICROS_PER_DAY;

/** No campaign is known for the impression. */
export const NO_CAMPAIGN = -1;

/**
 * The valid impressions of the last day, by user: what clicks are matched with and view-through conversions are credited to.
 * A ring of typed arrays, 16 bytes an impression, because this is the one thing here that grows with the traffic of a day.
 */
export class ImpressionHistory {
  private readonly capacity: number;
  private readonly times: Float64Array;
  private readonly campaigns: Int32Array;
  /** How many impressions back the same user's one before stands; 0: none in the ring. */
  private readonly back: Int32Array;
  /** Sequence number + 1 of each user's latest. */
  private readonly latest: Float64Array;
  private count = 0;

  /** `capacity`: the most impressions that a day and a few minutes hold. */
  constructor(capacity: number, users: number) {
    this.capacity = Math.max(1, capacity);
    this.times = new Float64Array(this.capacity);
    this.campaigns = new Int32Array(this.capacity);
    this.back = new Int32Array(this.capacity);
    this.latest = new Float64Array(users);
  }

  add(user: number, campaign: number, micros: number): void {
    const at = this.count % this.capacity;
    const before = (this.latest[user] as number) - 1;
    const distance = this.count - before;
    this.times[at] = micros;
    this.campaigns[at] = campaign;
    this.back[at] = before >= 0 && distance < this.capacity ? distance : 0;
    this.latest[user] = ++this.count;
  }

  /** Whether there is one of the user and campaign with 0 ≤ t_click − t_imp < 86,400 s. */
  hasBefore(user: number, campaign: number, micros: number): boolean {
    return this.search(user, micros, (itsCampaign) => itsCampaign === campaign);
  }

  /** Those within the window, unordered. Without a campaign: of the user. */
  touches(user: number, campaign: number | undefined, micros: number): Touch[] {
    const touches: Touch[] = [];
    this.search(user, micros, (itsCampaign, itsMicros) => {
      if (campaign === undefined || itsCampaign === campaign) touches.push({ type: 'impression', micros: itsMicros, campaign: itsCampaign });
      return false;
    });
    return touches;
  }

  private search(user: number, micros: number, found: (campaign: number, micros: number) => boolean): boolean {
    let sequence = (this.latest[user] as number) - 1;
    while (sequence >= 0 && this.count - sequence <= this.capacity) {
      const at = sequence % this.capacity;
      const age = micros - (this.times[at] as number);
      if (age >= IMPRESSION_WINDOW_MICROS + DISORDER_MICROS) return false;
      if (age >= 0 && age < IMPRESSION_WINDOW_MICROS && found(this.campaigns[at] as number, this.times[at] as number)) return true;
      const distance = this.back[at] as number;
      if (distance === 0) return false;
      sequence -= distance;
    }
    return false;
  }
}

export interface Touch {
  readonly type: 'impression' | 'click';
  readonly micros: number;
  readonly campaign: number;
}

/** All valid clicks by user, in order of time. A hundredth of the impressions, so they are all kept. */
export class ClickHistory {
  private times = new Float64Array(1024);
  private campaigns = new Int32Array(1024);
  private before = new Int32Array(1024);
  private readonly latest: Int32Array;
  private count = 0;

  constructor(users: number) {
    this.latest = new Int32Array(users);
  }

  add(user: number, campaign: number, micros: number): void {
    if (this.count === this.times.length) this.grow();
    this.times[this.count] = micros;
    this.campaigns[this.count] = campaign;
    this.before[this.count] = this.latest[user] as number;
    this.latest[user] = ++this.count;
  }

  /** Those with t_click ≤ t_conv and t_conv − t_click < 30 days, latest first. */
  touches(user: number, campaign: number | undefined, micros: number): Touch[] {
    const touches: Touch[] = [];
    for (let next = this.latest[user] as number; next > 0; next = this.before[next - 1] as number) {
      const at = next - 1;
      const age = micros - (this.times[at] as number);
      if (age >= CLICK_WINDOW_MICROS) break;
      const itsCampaign = this.campaigns[at] as number;
      if (age >= 0 && (campaign === undefined || campaign === itsCampaign))
        touches.push({ type: 'click', micros: this.times[at] as number, campaign: itsCampaign });
    }
    return touches;
  }

  private grow(): void {
    const size = this.times.length * 2;
    const times = new Float64Array(size);
    times.set(this.times);
    this.times = times;
    const campaigns = new Int32Array(size);
    campaigns.set(this.campaigns);
    this.campaigns = campaigns;
    const before = new Int32Array(size);
    before.set(this.before);
    this.before = before;
  }
}
