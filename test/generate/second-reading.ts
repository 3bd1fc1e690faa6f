import { isbot } from 'isbot';
import { dateOf, type Event, placeOf, type Row, type Traffic, timeOf } from './traffic-files.ts';

const DAY_MICROS = 86_400_000_000;

export interface Touch {
  readonly type: 'impression' | 'click';
  readonly micros: number;
  readonly campaign: string | null;
}

export interface JudgedClick {
  readonly click: Event;
  readonly valid: boolean;
  readonly reasons: string;
  readonly matched: boolean;
}

/** The rules of SEMANTICS §3 to §8, as far as the truth speaks of them, written out once more, by brute force. */
export class SecondReading {
  readonly clicks: readonly JudgedClick[];
  readonly conversions: readonly { readonly conversion: Event; readonly path: readonly Touch[] }[];
  private readonly traffic: Traffic;
  private readonly currency: string;
  private readonly rates: ReadonlyMap<string, string | null | undefined>;
  private readonly owners: ReadonlyMap<string | null | undefined, Row[]>;
  private readonly validImpressions: ReadonlyMap<string | null | undefined, Touch[]>;

  constructor(traffic: Traffic, currency: string) {
    this.traffic = traffic;
    this.currency = currency;
    this.rates = new Map(traffic.reference['currency-rates'].map((row) => [`${row.rate_date} ${row.currency}`, row.rate]));
    this.owners = Map.groupBy(traffic.reference.creatives, (row) => row.creative_id);
    const shown = this.impressions.filter(({ fields }) => !isBot(fields.user_agent));
    this.validImpressions = new Map(
      [...Map.groupBy(shown, ({ fields }) => fields.user_id)].map(([user, events]) => [
        user,
        events.map(({ fields, micros }) => ({ type: 'impression', micros, campaign: this.campaignOf(fields, micros) })),
      ]),
    );
    this.clicks = this.judgeClicks();
    this.conversions = this.findPaths();
  }

  get impressions(): readonly Event[] {
    return firsts(this.traffic.impressions, impressionKey);
  }
  get bids(): readonly Event[] {
    return firsts(this.traffic.bids, bidKey);
  }

  /** `second of first` for each record that repeats an earlier one. */
  get repeats(): string[] {
    const { impressions, responses, bids } = this.traffic;
    return [...repeatsOf(impressions, impressionKey), ...repeatsOf(responses, responseKey), ...repeatsOf(bids, bidKey)];
  }

  /** By campaign and date, without zeros. */
  campaignDays(): Map<string, Record<string, number>> {
    const sums = new Map<string, Record<string, number>>();
    const add = (campaign: string | null | undefined, micros: number, measure: string, amount = 1): void => {
      if (amount === 0) return;
      const key = `${campaign} ${dateOf(micros)}`;
      const row = sums.get(key) ?? {};
      row[measure] = (row[measure] ?? 0) + amount;
      sums.set(key, row);
    };
    for (const { fields, micros } of this.impressions) {
      const campaign = this.campaignOf(fields, micros);
      add(campaign, micros, 'impressions');
      if (isBot(fields.user_agent)) continue;
      add(campaign, micros, 'valid_impressions');
      add(campaign, micros, 'cost_cpm_micros', this.money(fields.price, fields.currency, micros));
    }
    for (const { click, valid } of this.clicks) {
      add(click.fields.campaign_id, click.micros, 'clicks');
      if (valid) add(click.fields.campaign_id, click.micros, 'valid_clicks');
    }
    for (const { conversion, path } of this.conversions) {
      const { fields, micros } = conversion;
      add(fields.campaign_id, micros, 'conversions');
      add(fields.campaign_id, micros, 'conversion_value_micros', this.money(fields.value, fields.currency, micros));
      if (path.length > 0) add(fields.campaign_id, micros, 'attributed_conversions');
    }
    for (const { fields, micros } of this.bids) {
      add(fields.campaign_id, micros, 'bid_requests');
      if (fields.won === 'true') add(fields.campaign_id, micros, 'bids_won');
    }
    return sums;
  }

  private campaignOf(fields: Row, micros: number): string | null {
    if (fields.campaign_id != null) return fields.campaign_id;
    const owners = (this.owners.get(fields.creative_id) ?? []).filter(({ valid_from }) => valid_from == null || timeOf(valid_from) <= micros);
    return owners.sort((a, b) => (a.valid_from ?? '').localeCompare(b.valid_from ?? '')).at(-1)?.campaign_id ?? null;
  }

  private money(amount: string | null | undefined, currency: string | null | undefined, micros: number): number {
    if (amount == null) return 0;
    const own = BigInt(Math.round(Number(amount) * 1e6));
    if (currency == null || currency === this.currency) return Number(own);
    const rate = BigInt(Math.round(Number(this.rates.get(`${dateOf(micros)} ${currency}`)) * 1e9));
    return Number((own * rate * 2n + 1_000_000_000n) / 2_000_000_000n);
  }

  private judgeClicks(): JudgedClick[] {
    const last = new Map<string, number>();
    const perDay = new Map<string, number>();
    return firsts(this.traffic.responses, responseKey)
      .filter(({ fields }) => isClick(fields))
      .sort((a, b) => a.micros - b.micros)
      .map((click) => {
        const { fields, micros } = click;
        const pair = `${fields.user_id} ${fields.campaign_id}`;
        const day = `${pair} ${dateOf(micros)}`;
        const reasons: string[] = [];
        if (isBot(fields.user_agent)) reasons.push('bot_user_agent');
        if (micros - (last.get(pair) ?? Number.NEGATIVE_INFINITY) <= 1e6) reasons.push('double_click');
        if (reasons.length === 0 && (perDay.get(day) ?? 0) >= 10) reasons.push('click_flood');
        const valid = reasons.length === 0;
        if (valid) {
          last.set(pair, micros);
          perDay.set(day, (perDay.get(day) ?? 0) + 1);
        }
        const shown = this.validImpressions.get(fields.user_id) ?? [];
        const matched = shown.some((touch) => touch.campaign === fields.campaign_id && micros >= touch.micros && micros - touch.micros < DAY_MICROS);
        return { click, valid, reasons: reasons.join(','), matched };
      });
  }

  private findPaths(): { conversion: Event; path: Touch[] }[] {
    const valid = this.clicks.filter((click) => click.valid).map(({ click }) => click);
    const clicked = Map.groupBy(valid, ({ fields }) => fields.user_id);
    return firsts(this.traffic.responses, responseKey)
      .filter(({ fields }) => !isClick(fields))
      .map((conversion) => {
        const { fields, micros } = conversion;
        const within = (touch: Touch, days: number): boolean =>
          touch.micros <= micros && micros - touch.micros < days * DAY_MICROS && (fields.campaign_id == null || fields.campaign_id === touch.campaign);
        const clicks = (clicked.get(fields.user_id) ?? []).map(
          (click): Touch => ({ type: 'click', micros: click.micros, campaign: click.fields.campaign_id ?? null }),
        );
        let path = clicks.filter((touch) => within(touch, 30));
        if (path.length === 0) path = (this.validImpressions.get(fields.user_id) ?? []).filter((touch) => within(touch, 1));
        return { conversion, path: path.sort((a, b) => a.micros - b.micros) };
      });
  }
}

const known = new Map<string, boolean>();
function isBot(userAgent: string | null | undefined): boolean {
  if (userAgent == null) return false;
  const bot = known.get(userAgent) ?? isbot(userAgent);
  known.set(userAgent, bot);
  return bot;
}

function hostOf(website: string): string {
  return website
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/:].*$/, '')
    .replace(/^www\./, '')
    .replace(/\.$/, '');
}

function impressionKey({ fields, micros }: Event): string {
  return fields.impression_id ?? [fields.user_id, fields.creative_id, micros, hostOf(fields.website ?? '')].join(' ');
}

function isClick(fields: Row): boolean {
  return fields.event_type == null ? fields.conversion_type == null || fields.conversion_type === 'click' : fields.event_type === 'click';
}

function responseKey({ fields, micros }: Event): string {
  const type = isClick(fields) ? 'click' : 'conversion';
  if (fields.event_id != null) return `${type} ${fields.event_id}`;
  if (type === 'click') return [type, fields.user_id, fields.campaign_id, micros].join(' ');
  if (fields.order_id != null) return ['order', fields.order_id, fields.conversion_type].join(' ');
  return [type, fields.user_id, fields.campaign_id, fields.conversion_type, micros, fields.value].join(' ');
}

function bidKey({ fields, micros }: Event): string {
  return fields.request_id ?? [fields.user_id, fields.space_id, micros, fields.amount].join(' ');
}

function repeatsOf(events: readonly Event[], key: (event: Event) => string): string[] {
  const first = new Map<string, string>();
  const found: string[] = [];
  for (const event of events) {
    const at = placeOf(event.file, event.record);
    const earlier = first.get(key(event));
    if (earlier === undefined) first.set(key(event), at);
    else found.push(`${at} of ${earlier}`);
  }
  return found;
}

function firsts(events: readonly Event[], key: (event: Event) => string): Event[] {
  return [...new Map([...events].reverse().map((event) => [key(event), event])).values()];
}
