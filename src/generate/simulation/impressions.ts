import { MICROS_PER_MINUTE } from '../diurnal-curve.ts';
import { RandomStream } from '../random-stream.ts';
import { emptyImpression, type ImpressionRecord } from '../records/impression-record.ts';
import { spellMoney } from '../records/money-text.ts';
import type { EventIds } from '../records/record-forms.ts';
import { cutTo, isNumberForm, spellTime } from '../records/time-forms.ts';
import { type CampaignDays, MEASURE } from '../truth/campaign-days.ts';
import { type ImpressionHistory, NO_CAMPAIGN } from '../truth/touch-history.ts';
import type { Campaign } from '../world/campaigns.ts';
import { scrambledId } from '../world/hashing.ts';
import type { Site } from '../world/sites.ts';
import type { Bids } from './bids.ts';
import type { Dispatch } from './dispatch.ts';
import { ForeignMoney, type StatedAmount } from './foreign-money.ts';
import type { Responses } from './responses.ts';
import type { Visits } from './visits.ts';
import type { World } from './world.ts';

export interface ImpressionsOptions {
  readonly world: World;
  readonly ids: EventIds;
  readonly visits: Visits;
  readonly dispatch: Dispatch<ImpressionRecord>;
  readonly bids: Bids;
  readonly responses: Responses;
  readonly history: ImpressionHistory;
  readonly campaignDays: CampaignDays;
}

/** What the consent banner of a European site passes on; the strings are made up, in the form of TCF 2. */
const GDPR_CONSENTS = [
  ',"consent_gdpr":true,"consent_tcf":"CQEuroAQEuroAAHABBENBLFsAP_gAEPgAAAAKZtV_G__bWlr8X73aftkeY1P9_h77sQxBhfJE"',
  ',"consent_gdpr":true,"consent_tcf":"CQEuroAQEuroAAHABBENBLFsAP_gAEPgAAAAKZtV_G__bWlr8X73aftkeY1P9_h77sQxBhfJE"',
  ',"consent_gdpr":true,"consent_tcf":"CQDemoAQDemoAAGABCENA8EgAAAAAAAAACiQAAAAAAAA"',
  ',"consent_gdpr":1,"consent_tcf":"CQEuroAQEuroAAHABBENBLFgAAAAAAAAAAAAAAAAAAAA"',
  ',"consent_gdpr":true,"consent_tcf":null',
  '',
];
const NULLS = ['null', '""', '"null"', '"NULL"', '"-"', '"n/a"', '"N/A"'];
const VARIATIONS = 1024;

/** Shows advertisements: who, where, of which campaign, at what price; and what follows from it. */
export class Impressions {
  /** Counts for the summary. */
  knownBots = 0;
  hiddenBots = 0;
  unresolved = 0;
  private readonly options: ImpressionsOptions;
  private readonly random: RandomStream;
  private readonly spelling: RandomStream;
  private readonly money: ForeignMoney;
  private readonly priceVariation: Float64Array;
  private serial = 0;

  constructor(options: ImpressionsOptions) {
    const { seed } = options.world.plan;
    this.options = options;
    this.random = new RandomStream(seed, 'impressions');
    this.spelling = new RandomStream(seed, 'impression spelling');
    this.money = new ForeignMoney(options.world, new RandomStream(seed, 'prices'));
    const prices = new RandomStream(seed, 'price variation');
    this.priceVariation = Float64Array.from({ length: VARIATIONS }, () => prices.spread(0.3));
  }

  show(minuteMicros: number): void {
    const { world, visits, ids, dispatch, bids, responses } = this.options;
    const { random } = this;
    // A new one each time: to put young texts into an old object costs more than the object.
    const r = emptyImpression();
    const { rates } = world.plan;
    visits.next();
    const user = visits.user;
    const site = world.sites.all[visits.site]!;

    // When: cut to what the record can say, and unique to the microsecond where the time is all that tells two apart.
    const hasId = !random.chance(rates.impressionsWithoutId);
    const form = hasId ? site.timeForm : 'micros';
    let micros = cutTo(form, minuteMicros + random.below(MICROS_PER_MINUTE));
    if (!hasId) micros = micros - (micros % 1000) + (this.serial++ % 1000);

    // What.
    const offered = world.campaigns.all[world.campaigns.choice.pick(random)]!;
    const creative = offered.creatives[offered.creativeChoice.pick(random)]!;
    const unknown = random.chance(rates.unknownCreatives);
    const campaign = unknown ? NO_CAMPAIGN : micros >= creative.movesAtMicros ? creative.movesTo : creative.campaign;
    const owner: Campaign | undefined = world.campaigns.all[campaign];
    const space = site.spaces[random.below(site.spaces.length)]!;

    r.impressionId = hasId ? `"impression_id":"${ids.impressions.next()}",` : '';
    r.eventMicros = micros;
    r.timestamp = isNumberForm(form) ? `"timestamp":${spellTime(form, micros)},` : `"timestamp":"${spellTime(form, micros)}",`;
    r.creativeId = unknown ? `,"creative_id":"cr-${scrambledId(1, random.below(1000), 5)}"` : creative.member;
    r.campaignId = owner === undefined || random.chance(rates.campaignOmitted) ? '' : owner.member;
    r.placementId = space.member;
    this.spellVisit(r, user, site);

    let instancePrice = 0;
    // An auction's price is known, a direct deal's often only from the campaign's rate.
    const auction = random.chance(rates.auctionShare);
    if (auction || random.chance(owner === undefined || owner.pricing === 'cpm' ? 0.85 : 0.4)) {
      const price = this.spellPrice(r, (owner ?? offered).cpmMicros * site.priceFactor);
      instancePrice = price.instanceMicros;
      if (auction) {
        const requestId = ids.auctions.next();
        r.auctionId = `,"auction_id":"${requestId}"`;
        bids.won(requestId, micros, user, space.id, owner, creative.id, price);
      }
    }
    this.count(campaign, micros, user, r.userAgent !== '' && world.audience.isBot(user), instancePrice);
    dispatch.send(r, micros, rates.duplicateImpressions);
    if (owner !== undefined) responses.afterImpression(micros, user, owner, creative.id, site.clickFactor);
  }

  /** Who saw it, where and with what. */
  private spellVisit(r: ImpressionRecord, user: number, site: Site): void {
    const { random, spelling } = this;
    const { audience, plan } = this.options.world;
    const device = audience.device(user, random);
    const place = audience.place(user);
    const userId = audience.id(user);
    r.userId = audience.hasNumericId(user) ? `"user_id":${userId}` : `"user_id":"${userId}"`;
    r.website = site.websiteHasPage ? `${site.website}${spelling.below(90_000)}?ref=home"` : site.website;
    r.userAgent = spelling.chance(0.02) ? '' : device.userAgentMember;
    r.ip = `,"ip":"${audience.ip(user)}"`;
    r.country = place.member;
    r.deviceType = device.typeMember;
    r.further = site.extraField;
    this.spellConsent(r, place.gdpr, place.country === 'US');
    if (spelling.chance(plan.rates.nullSpellings)) this.spellNull(r);
  }

  private spellPrice(r: ImpressionRecord, meanMicros: number): StatedAmount {
    const price = this.money.state(meanMicros * (this.priceVariation[this.random.below(VARIATIONS)] as number), r.eventMicros, 100);
    r.price = this.spelling.chance(0.1) ? `,"price":"${spellMoney(price.micros)}"` : `,"price":${spellMoney(price.micros)}`;
    if (price.currency !== '') r.currency = `,"currency":"${price.currency}"`;
    return price;
  }

  private count(campaign: number, micros: number, user: number, knownBot: boolean, priceMicros: number): void {
    const { world, history, campaignDays } = this.options;
    campaignDays.add(campaign, micros, MEASURE.impressions, 1);
    if (campaign === NO_CAMPAIGN) this.unresolved++;
    if (world.audience.isHiddenBot(user)) this.hiddenBots++;
    if (knownBot) {
      this.knownBots++;
      return;
    }
    campaignDays.add(campaign, micros, MEASURE.valid_impressions, 1);
    campaignDays.add(campaign, micros, MEASURE.cost_cpm_micros, priceMicros);
    history.add(user, campaign, micros);
  }

  private spellConsent(r: ImpressionRecord, gdpr: boolean, unitedStates: boolean): void {
    const { spelling } = this;
    const draw = spelling.fraction();
    r.viewable = draw < 0.62 ? ',"viewable":true' : draw < 0.9 ? ',"viewable":false' : '';
    if (gdpr) r.consent = GDPR_CONSENTS[Math.floor(draw * GDPR_CONSENTS.length)] as string;
    else if (unitedStates && draw < 0.5) r.consent = ',"consent_us_privacy":"1YNN"';
    else r.consent = draw > 0.9 ? ',"consent_gdpr":false' : '';
  }

  /** One optional field says that it has nothing to say. */
  private spellNull(r: ImpressionRecord): void {
    const { spelling } = this;
    const spelled = spelling.pick(NULLS);
    switch (spelling.below(6)) {
      case 0:
        r.placementId = `,"placement_id":${spelled}`;
        break;
      case 1:
        r.ip = `,"ip":${spelled}`;
        break;
      case 2:
        r.country = `,"country":${spelled}`;
        break;
      case 3:
        r.deviceType = `,"device_type":${spelled}`;
        break;
      case 4:
        r.consent = `,"consent_us_privacy":${spelled}`;
        break;
      default:
        r.viewable = ',"viewable":null';
    }
  }
}
