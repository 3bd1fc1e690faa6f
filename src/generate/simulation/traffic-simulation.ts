import type { EventFeed } from '../../domain/feeds.ts';
import { countsByMinute, MICROS_PER_DAY, MICROS_PER_MINUTE, MINUTES_PER_DAY } from '../diurnal-curve.ts';
import { ArrivalQueue } from '../output/arrival-queue.ts';
import { FeedFiles } from '../output/feed-files.ts';
import { hourlyLabels, numberedLabels } from '../output/file-labels.ts';
import { RandomStream } from '../random-stream.ts';
import { BID_FAULTS } from '../records/bid-faults.ts';
import type { Fault } from '../records/fault.ts';
import { IMPRESSION_FAULTS } from '../records/impression-faults.ts';
import type { RecordForm } from '../records/record-form.ts';
import { bidForm, eventIds, impressionForm, responseForm } from '../records/record-forms.ts';
import { RESPONSE_FAULTS } from '../records/response-faults.ts';
import { CampaignDays } from '../truth/campaign-days.ts';
import { ClickHistory, ImpressionHistory } from '../truth/touch-history.ts';
import { FeedTally, type TruthFiles } from '../truth/truth-files.ts';
import { Bids } from './bids.ts';
import { Dispatch } from './dispatch.ts';
import { Impressions } from './impressions.ts';
import { ResponseRecords } from './response-records.ts';
import { Responses } from './responses.ts';
import { Visits } from './visits.ts';
import type { World } from './world.ts';

/** One feed from its events to its files. */
interface Lane {
  readonly queue: ArrivalQueue;
  readonly files: FeedFiles;
  readonly tally: FeedTally;
  readonly dispatch: { startAt(micros: number): void };
}

/**
 * Lets the traffic happen minute by minute: impressions and bids by the curve, then the clicks and conversions that are due,
 * then the arrivals of the minute go to the files.
 */
export class TrafficSimulation {
  readonly impressions: Impressions;
  readonly bids: Bids;
  readonly responses: Responses;
  readonly responseRecords: ResponseRecords;
  readonly campaignDays: CampaignDays;
  readonly lanes: Readonly<Record<EventFeed, Lane>>;
  private readonly world: World;
  private readonly counts: Int32Array;
  private readonly visits: Visits;
  private readonly firstMinute: number;
  private minute: number;

  constructor(world: World, truth: TruthFiles) {
    const { plan } = world;
    this.world = world;
    this.firstMinute = plan.startMicros / MICROS_PER_MINUTE;
    this.minute = this.firstMinute;
    this.counts = countsByMinute(plan.impressions, plan.startMicros, plan.days);
    const ids = eventIds(new RandomStream(plan.seed, 'ids'));
    const impressionLane = this.lane('ad-impressions', impressionForm(ids), IMPRESSION_FAULTS, plan.impressions, truth);
    const responseLane = this.lane('clicks-conversions', responseForm(ids), RESPONSE_FAULTS, plan.impressions * plan.rates.clickRate * 1.1, truth);
    const bidLane = this.lane(
      'bid-requests',
      bidForm(ids),
      BID_FAULTS,
      plan.rates.winRate === 0 ? 0 : (plan.impressions * plan.rates.auctionShare) / plan.rates.winRate,
      truth,
    );
    this.lanes = { 'ad-impressions': impressionLane, 'clicks-conversions': responseLane, 'bid-requests': bidLane };

    const history = new ImpressionHistory(mostInADay(this.counts), world.audience.size);
    this.campaignDays = new CampaignDays(world.campaigns.all.length, plan.startMicros / MICROS_PER_DAY, plan.days + plan.tailDays);
    this.visits = new Visits(new RandomStream(plan.seed, 'visits'), world.audience, world.sites, plan.rates);
    this.responses = new Responses(world);
    this.bids = new Bids({ world, ids, visits: this.visits, dispatch: bidLane.dispatch, campaignDays: this.campaignDays });
    this.impressions = new Impressions({
      world,
      ids,
      visits: this.visits,
      dispatch: impressionLane.dispatch,
      bids: this.bids,
      responses: this.responses,
      history,
      campaignDays: this.campaignDays,
    });
    this.responseRecords = new ResponseRecords({
      world,
      ids,
      dispatch: responseLane.dispatch,
      responses: this.responses,
      impressions: history,
      clicks: new ClickHistory(world.audience.size),
      campaignDays: this.campaignDays,
      truth,
    });
  }

  /** Lets a minute pass. False when nothing is left to happen or to arrive. */
  passMinute(): boolean {
    const start = this.minute * MICROS_PER_MINUTE;
    for (const { dispatch } of Object.values(this.lanes)) dispatch.startAt(start);
    const count = this.counts[this.minute - this.firstMinute] ?? 0;
    if (count > 0) {
      this.visits.startMinute(count);
      for (let i = 0; i < count; i++) this.impressions.show(start);
      this.bids.lose(start, count);
    }
    for (const click of this.responses.clicks.take(this.minute)) this.responseRecords.click(click);
    for (const conversion of this.responses.conversions.take(this.minute)) this.responseRecords.conversion(conversion);
    for (const { queue, files } of Object.values(this.lanes)) queue.release(files);
    this.minute++;
    return this.minute <= this.lastMinute;
  }

  get records(): number {
    let records = 0;
    for (const { tally } of Object.values(this.lanes)) records += tally.received;
    return records;
  }

  /** The start of the minute that comes next. */
  get timeMicros(): number {
    return this.minute * MICROS_PER_MINUTE;
  }

  private get lastMinute(): number {
    const { clicks, conversions } = this.responses;
    const arrivals = Object.values(this.lanes).map(({ queue }) => queue.lastMinute);
    return Math.max(this.firstMinute + this.counts.length - 1, clicks.lastMinute, conversions.lastMinute, ...arrivals);
  }

  private lane<R extends object>(
    feed: EventFeed,
    form: RecordForm<R>,
    faults: readonly Fault<R>[],
    expected: number,
    truth: TruthFiles,
  ): Lane & { dispatch: Dispatch<R> } {
    const { plan, endMicros } = this.world;
    const { directory, seed, compression, avroCodec, filesPerFeed, rates, startMicros } = plan;
    const labels = filesPerFeed === undefined ? hourlyLabels(endMicros) : numberedLabels(filesPerFeed, startMicros, this.counts);
    const queue = new ArrivalQueue(this.firstMinute);
    const tally = new FeedTally();
    const files = new FeedFiles(feed, { directory, seed, compression, avroCodec, labels, firstMinute: this.firstMinute });
    return { queue, tally, files, dispatch: new Dispatch({ feed, form, faults, queue, rates, seed, expected, tally, truth }) };
  }
}

/** The most impressions that a click or conversion can look back on: those of a day and the minutes around it. */
function mostInADay(counts: Int32Array): number {
  const span = MINUTES_PER_DAY + 5;
  let sum = 0;
  let most = 0;
  for (let minute = 0; minute < counts.length; minute++) {
    sum += counts[minute] as number;
    if (minute >= span) sum -= counts[minute - span] as number;
    if (sum > most) most = sum;
  }
  return most;
}
