import { MICROS_PER_MINUTE } from '../diurnal-curve.ts';
import { RandomStream } from '../random-stream.ts';
import { type BidRecord, emptyBid } from '../records/bid-record.ts';
import type { EventIds } from '../records/record-forms.ts';
import { type CampaignDays, MEASURE } from '../truth/campaign-days.ts';
import { NO_CAMPAIGN } from '../truth/touch-history.ts';
import type { Campaign } from '../world/campaigns.ts';
import type { Dispatch } from './dispatch.ts';
import { ForeignMoney, type StatedAmount } from './foreign-money.ts';
import type { Visits } from './visits.ts';
import type { World } from './world.ts';

export interface BidsOptions {
  readonly world: World;
  readonly ids: EventIds;
  readonly visits: Visits;
  readonly dispatch: Dispatch<BidRecord>;
  readonly campaignDays: CampaignDays;
}

/** Bids for advertising space: the ones that won an impression, and the others. */
export class Bids {
  wonCount = 0;
  withOutcome = 0;
  private readonly options: BidsOptions;
  private readonly random: RandomStream;
  private readonly money: ForeignMoney;
  private readonly record = emptyBid();
  private serial = 0;
  private owed = 0;

  constructor(options: BidsOptions) {
    const { seed } = options.world.plan;
    this.options = options;
    this.random = new RandomStream(seed, 'bids');
    this.money = new ForeignMoney(options.world, new RandomStream(seed, 'bid amounts'));
  }

  /** The bid that led to an impression a moment later, at its price. */
  won(requestId: string, impressionMicros: number, user: number, space: string, campaign: Campaign | undefined, creativeId: string, price: StatedAmount): void {
    const { random, record: r } = this;
    const before = 40_000 + random.below(400_000);
    const micros = Math.max(this.options.world.plan.startMicros, impressionMicros - before);
    // The clearing price is at most what was bid.
    const amount = Math.round((price.micros * (1 + 0.4 * random.fraction() ** 2)) / 100) * 100;
    r.won = true;
    r.clearingPrice = price.micros / 1e6;
    this.wonCount++;
    this.withOutcome++;
    this.send(requestId, micros, user, space, campaign, creativeId, Math.max(amount, price.micros), price.currency);
  }

  /** The lost bids, and those that never heard of it, of a minute with this many impressions. */
  lose(minuteMicros: number, impressions: number): void {
    const { rates } = this.options.world.plan;
    const won = impressions * rates.auctionShare;
    const lost = rates.winRate === 0 ? 0 : (won * (1 - rates.winRate)) / rates.winRate;
    const silent = (won + lost) * rates.bidsWithoutOutcome;
    this.owed += lost + silent;
    const silentShare = lost + silent === 0 ? 0 : silent / (lost + silent);
    for (; this.owed >= 1; this.owed--) this.loseOne(minuteMicros, silentShare);
  }

  private loseOne(minuteMicros: number, silentShare: number): void {
    const { random, record: r } = this;
    const { world, visits, ids } = this.options;
    visits.look();
    const site = world.sites.all[visits.site]!;
    const campaign = world.campaigns.all[world.campaigns.choice.pick(random)]!;
    const creative = campaign.creatives[campaign.creativeChoice.pick(random)]!;
    const micros = minuteMicros + random.below(MICROS_PER_MINUTE);
    const stated = this.money.state(campaign.cpmMicros * site.priceFactor * (0.4 + 0.8 * random.fraction()), micros, 100);
    const silent = random.chance(silentShare);
    r.won = silent ? null : false;
    r.clearingPrice = null;
    if (!silent) this.withOutcome++;
    const named = micros >= creative.movesAtMicros ? world.campaigns.all[creative.movesTo] : campaign;
    this.send(ids.auctions.next(), micros, visits.user, random.pick(site.spaces).id, named, creative.id, stated.micros, stated.currency);
  }

  private send(
    requestId: string,
    atMicros: number,
    user: number,
    space: string,
    campaign: Campaign | undefined,
    creativeId: string,
    amountMicros: number,
    currency: string,
  ): void {
    const { random, record: r } = this;
    const { world, dispatch, campaignDays } = this.options;
    const { rates } = world.plan;
    const hasId = !random.chance(rates.bidsWithoutId);
    const micros = hasId ? atMicros : atMicros - (atMicros % 1000) + (this.serial++ % 1000);
    // A bid that names no campaign names no creative either, so that nothing is left to be resolved.
    const named = random.chance(0.97) ? campaign : undefined;
    r.requestId = hasId ? requestId : null;
    r.timestampMicros = micros;
    r.clientId = named === undefined ? 'dsp-house' : `dsp-${1 + (named.index % 5)}`;
    r.userId = world.audience.id(user);
    r.userIdIsNumber = world.audience.hasNumericId(user);
    r.spaceId = space;
    r.amount = amountMicros / 1e6;
    r.campaignId = named?.id ?? null;
    r.creativeId = named === undefined ? null : creativeId;
    r.currency = currency === '' ? null : currency;
    r.age = world.audience.age(user);
    r.location = world.audience.place(user).location;
    r.gender = world.audience.gender(user);
    if (random.chance(rates.nullSpellings)) this.spellNull();
    const index = named?.index ?? NO_CAMPAIGN;
    campaignDays.add(index, micros, MEASURE.bid_requests, 1);
    if (r.won === true) campaignDays.add(index, micros, MEASURE.bids_won, 1);
    dispatch.send(r, micros, rates.duplicateBids);
  }

  private spellNull(): void {
    const { random, record: r } = this;
    const spelled = random.pick([null, null, '', 'null', 'NULL', '-', 'n/a']);
    const draw = random.below(3);
    if (draw === 0) r.age = spelled;
    else if (draw === 1) r.location = spelled;
    else r.gender = spelled;
  }
}
