import { RandomStream } from '../random-stream.ts';
import { spellMoney } from '../records/money-text.ts';
import type { EventIds } from '../records/record-forms.ts';
import { emptyResponse, type ResponseRecord } from '../records/response-record.ts';
import { spellTime } from '../records/time-forms.ts';
import { type CampaignDays, MEASURE } from '../truth/campaign-days.ts';
import { ClickVerdicts } from '../truth/click-verdicts.ts';
import type { ClickHistory, ImpressionHistory, Touch } from '../truth/touch-history.ts';
import { NO_CAMPAIGN } from '../truth/touch-history.ts';
import type { TruthFiles } from '../truth/truth-files.ts';
import { drawOrderValue } from '../world/campaigns.ts';
import type { Dispatch } from './dispatch.ts';
import { ForeignMoney } from './foreign-money.ts';
import type { PlannedClick, PlannedConversion, Responses } from './responses.ts';
import type { World } from './world.ts';

export interface ResponseRecordsOptions {
  readonly world: World;
  readonly ids: EventIds;
  readonly dispatch: Dispatch<ResponseRecord>;
  readonly responses: Responses;
  readonly impressions: ImpressionHistory;
  readonly clicks: ClickHistory;
  readonly campaignDays: CampaignDays;
  readonly truth: TruthFiles;
}

const NULLS = ['', 'null', 'NULL', '-', 'n/a', 'N/A'];
const MOST_TOUCHES = 1000;

/** Counts of what must come out, for the summary. */
export interface ResponseCounts {
  clicks: number;
  validClicks: number;
  botClicks: number;
  doubleClicks: number;
  floodClicks: number;
  orphanClicks: number;
  conversions: number;
  invalidConversions: number;
  unattributed: number;
  unclaimed: number;
  viewThrough: number;
  valueMicros: number;
}

/** Turns the clicks and conversions of the agenda into rows, in the order of time, and writes down what must come of them. */
export class ResponseRecords {
  readonly counts: ResponseCounts = {
    clicks: 0,
    validClicks: 0,
    botClicks: 0,
    doubleClicks: 0,
    floodClicks: 0,
    orphanClicks: 0,
    conversions: 0,
    invalidConversions: 0,
    unattributed: 0,
    unclaimed: 0,
    viewThrough: 0,
    valueMicros: 0,
  };
  private readonly options: ResponseRecordsOptions;
  private readonly random: RandomStream;
  private readonly values: RandomStream;
  private readonly money: ForeignMoney;
  private readonly verdicts: ClickVerdicts;
  private readonly record = emptyResponse();

  constructor(options: ResponseRecordsOptions) {
    const { seed } = options.world.plan;
    this.options = options;
    this.random = new RandomStream(seed, 'response records');
    this.values = new RandomStream(seed, 'order values');
    this.money = new ForeignMoney(options.world, new RandomStream(seed, 'order currencies'));
    this.verdicts = new ClickVerdicts(options.world.campaigns.all.length);
  }

  click(click: PlannedClick): void {
    const { world, ids, dispatch, impressions, clicks, campaignDays, truth, responses } = this.options;
    const { random, counts, record: r } = this;
    const { user, campaign, micros } = click;
    this.begin(click);
    r.campaignId = campaign.id;
    r.eventType = random.chance(0.85) ? 'click' : '';
    r.conversionType = random.chance(0.7) ? '' : 'click';
    r.eventId = click.hasId ? ids.responses.next() : '';
    r.creativeId = random.chance(0.8) ? click.creativeId : '';
    r.orderId = '';
    r.value = '';
    r.currency = '';
    // A bot's user agent is always there: were it valid now and not then, two clicks at one time would be judged by their keys.
    r.userAgent = random.chance(0.8) || world.audience.isBot(user) ? world.audience.device(user, random).userAgent : '';
    if (random.chance(world.plan.rates.nullSpellings)) r.creativeId = random.pick(NULLS);

    const knownBot = world.audience.isBot(user);
    const verdict = this.verdicts.judge(user, campaign.index, micros, knownBot);
    const matched = impressions.hasBefore(user, campaign.index, micros);
    if (verdict.valid) clicks.add(user, campaign.index, micros);
    counts.clicks++;
    if (verdict.valid) counts.validClicks++;
    if (verdict.reasons.includes('bot_user_agent')) counts.botClicks++;
    if (verdict.reasons.includes('double_click')) counts.doubleClicks++;
    if (verdict.reasons.includes('click_flood')) counts.floodClicks++;
    if (!matched) counts.orphanClicks++;
    campaignDays.add(campaign.index, micros, MEASURE.clicks, 1);
    if (verdict.valid) campaignDays.add(campaign.index, micros, MEASURE.valid_clicks, 1);
    truth.line('clicks', {
      event_id: r.eventId === '' ? null : r.eventId,
      user_id: r.userId,
      campaign_id: campaign.id,
      time: spellTime('micros', micros),
      valid: verdict.valid,
      invalid_reasons: verdict.reasons.length === 0 ? null : verdict.reasons.join(','),
      matched,
    });
    dispatch.send(r, micros, world.plan.rates.duplicateClicks);
    responses.afterClick(click);
  }

  conversion(conversion: PlannedConversion): void {
    const { world, ids, dispatch, campaignDays, truth } = this.options;
    const { random, counts, record: r } = this;
    const { user, campaign, micros, purchase } = conversion;
    const { rates } = world.plan;
    this.begin(conversion);
    const unclaimed = random.chance(rates.unclaimedConversions);
    r.campaignId = unclaimed ? random.pick(NULLS) : campaign.id;
    r.eventType = random.chance(0.8) ? 'conversion' : '';
    r.conversionType = purchase ? 'purchase' : 'sign_up';
    r.eventId = conversion.hasId ? ids.responses.next() : '';
    r.creativeId = '';
    r.orderId = conversion.hasOrder ? ids.orders.next() : '';
    let valueMicros: number | null = null;
    if (purchase) {
      const stated = this.money.state(drawOrderValue(campaign, this.values), micros, 10_000);
      r.value = spellMoney(stated.micros);
      r.currency = stated.currency;
      valueMicros = stated.instanceMicros;
    } else {
      r.value = random.chance(rates.nullSpellings) ? random.pick(NULLS) : '';
      r.currency = '';
    }
    r.userAgent = random.chance(0.6) ? world.audience.device(user, random).userAgent : '';

    const valid = r.userAgent === '' || !world.audience.isBot(user);
    const touches = this.path(user, unclaimed ? undefined : campaign.index, micros);
    const index = unclaimed ? NO_CAMPAIGN : campaign.index;
    counts.conversions++;
    if (!valid) counts.invalidConversions++;
    if (unclaimed) counts.unclaimed++;
    if (touches.length === 0) counts.unattributed++;
    else {
      campaignDays.add(index, micros, MEASURE.attributed_conversions, 1);
      if (touches[0]?.type === 'impression') counts.viewThrough++;
    }
    counts.valueMicros += valueMicros ?? 0;
    campaignDays.add(index, micros, MEASURE.conversions, 1);
    campaignDays.add(index, micros, MEASURE.conversion_value_micros, valueMicros ?? 0);
    truth.line('conversions', {
      event_id: r.eventId === '' ? null : r.eventId,
      order_id: r.orderId === '' ? null : r.orderId,
      user_id: r.userId,
      campaign_id: unclaimed ? null : campaign.id,
      conversion_type: r.conversionType,
      time: spellTime('micros', micros),
      value_micros: valueMicros,
      valid,
      cause: conversion.cause === undefined ? null : { type: conversion.cause.type, time: spellTime('micros', conversion.cause.micros) },
      path: touches.map((touch) => ({
        type: touch.type,
        time: spellTime('micros', touch.micros),
        campaign_id: world.campaigns.all[touch.campaign]?.id ?? null,
      })),
    });
    dispatch.send(r, micros, rates.duplicateConversions);
  }

  private begin(response: { micros: number; form: PlannedClick['form']; user: number }): void {
    const { world } = this.options;
    const { record: r, random } = this;
    r.eventMicros = response.micros;
    r.timestamp = spellTime(response.form, response.micros);
    r.userId = world.audience.id(response.user);
    r.ip = random.chance(0.6) ? world.audience.ip(response.user) : '';
  }

  /** The touches that share the credit, by SEMANTICS §8 with its defaults: clicks if there is one, else impressions. */
  private path(user: number, campaign: number | undefined, micros: number): Touch[] {
    const { clicks, impressions } = this.options;
    let touches = clicks.touches(user, campaign, micros);
    if (touches.length === 0) touches = impressions.touches(user, campaign, micros);
    touches.sort((a, b) => a.micros - b.micros);
    return touches.slice(-MOST_TOUCHES);
  }
}
