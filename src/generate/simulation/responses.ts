import { MICROS_PER_DAY, MICROS_PER_HOUR } from '../diurnal-curve.ts';
import { RandomStream } from '../random-stream.ts';
import type { TimeForm } from '../records/time-forms.ts';
import { cutTo, ODD_TIME_FORMS } from '../records/time-forms.ts';
import type { Campaign } from '../world/campaigns.ts';
import { Agenda } from './agenda.ts';
import type { World } from './world.ts';

interface Response {
  /** Cut to what `form` can say. */
  readonly micros: number;
  readonly form: TimeForm;
  readonly hasId: boolean;
  readonly user: number;
  readonly campaign: Campaign;
}

export interface PlannedClick extends Response {
  readonly creativeId: string;
  /** The first of a double click or a flood is the one that may end in a conversion. */
  readonly mayConvert: boolean;
}

export interface PlannedConversion extends Response {
  /** What it came from, or nothing. */
  readonly cause: { readonly type: 'click' | 'impression'; readonly micros: number } | undefined;
  readonly purchase: boolean;
  /** Purchases mostly have an order number. */
  readonly hasOrder: boolean;
}

/** What people do about advertisements, decided when they are shown and put on the agenda for when it happens. */
export class Responses {
  readonly clicks: Agenda<PlannedClick>;
  readonly conversions: Agenda<PlannedConversion>;
  private readonly world: World;
  private readonly clicking: RandomStream;
  private readonly converting: RandomStream;
  private readonly spelling: RandomStream;
  private serial = 0;

  constructor(world: World) {
    const { seed } = world.plan;
    this.world = world;
    this.clicks = new Agenda(world.deadlineMicros);
    this.conversions = new Agenda(world.deadlineMicros);
    this.clicking = new RandomStream(seed, 'clicking');
    this.converting = new RandomStream(seed, 'converting');
    this.spelling = new RandomStream(seed, 'response spelling');
  }

  afterImpression(micros: number, user: number, campaign: Campaign, creativeId: string, siteFactor: number): void {
    const { clicking, converting } = this;
    const { audience, plan } = this.world;
    const hidden = audience.isHiddenBot(user);
    const eagerness = hidden ? 4 : audience.eagerness(user);
    if (clicking.chance(campaign.clickRate * siteFactor * eagerness)) this.planClicks(micros, user, campaign, creativeId, hidden);
    if (converting.chance(plan.rates.viewThroughRate) && !hidden && !audience.isBot(user)) {
      const delay = converting.chance(0.9) ? converting.logUniform(60e6, 0.99 * MICROS_PER_DAY) : converting.logUniform(MICROS_PER_DAY, 3 * MICROS_PER_DAY);
      this.planConversion(micros, delay, user, campaign, { type: 'impression', micros });
    }
  }

  /** Called when a click has happened. */
  afterClick(click: PlannedClick): void {
    const { converting } = this;
    const { audience } = this.world;
    const { user, campaign, micros } = click;
    // A script that fills in a form signs up, seldom.
    const eagerness = audience.isBot(user) || audience.isHiddenBot(user) ? 0.05 : 1;
    if (!click.mayConvert || !converting.chance(campaign.conversionRate * eagerness)) return;
    this.planConversion(micros, conversionDelay(converting), user, campaign, { type: 'click', micros });
  }

  private planClicks(impressionMicros: number, user: number, campaign: Campaign, creativeId: string, hidden: boolean): void {
    const { clicking } = this;
    const { rates } = this.world.plan;
    // At least two seconds, so that cutting to whole seconds never puts the click before its impression.
    let micros = impressionMicros + Math.floor(Math.min(20 * MICROS_PER_HOUR, 2e6 + clicking.logNormal(7e6, 1.4)));
    this.planClick(micros, user, campaign, creativeId, true);
    // Floods are the work of scripts; one that hides starts them ten times as often.
    if (clicking.chance(Math.min(1, rates.clickFloods * (hidden ? 10 : 1)))) {
      for (let more = 12 + clicking.below(29); more > 0; more--) {
        micros += Math.floor(clicking.logNormal(8e6, 0.8)) + 1_100_000;
        this.planClick(micros, user, campaign, creativeId, false);
      }
    } else if (clicking.chance(rates.doubleClicks)) {
      this.planClick(micros + 60_000 + clicking.below(800_000), user, campaign, creativeId, false);
    }
    if (clicking.chance(rates.orphanClicks)) this.planClick(micros, this.world.audience.pickStranger(clicking), campaign, creativeId, true);
  }

  private planClick(micros: number, user: number, campaign: Campaign, creativeId: string, mayConvert: boolean): void {
    const hasId = !this.spelling.chance(this.world.plan.rates.clicksWithoutId);
    this.clicks.add({ ...this.timed(micros, !hasId), hasId, user, campaign, creativeId, mayConvert });
  }

  private planConversion(causeMicros: number, delayMicros: number, user: number, campaign: Campaign, cause: PlannedConversion['cause']): void {
    const { converting } = this;
    const { rates } = this.world.plan;
    this.addConversion(causeMicros + 2e6 + Math.floor(delayMicros), user, campaign, cause);
    if (converting.chance(rates.unattributedConversions)) {
      const other = this.world.campaigns.all[this.world.campaigns.choice.pick(converting)]!;
      this.addConversion(causeMicros + Math.floor(MICROS_PER_HOUR * converting.fraction()), this.world.audience.pickStranger(converting), other, undefined);
    }
  }

  private addConversion(micros: number, user: number, campaign: Campaign, cause: PlannedConversion['cause']): void {
    const { spelling, converting } = this;
    const { rates } = this.world.plan;
    const hasId = !spelling.chance(rates.clicksWithoutId);
    const purchase = converting.chance(rates.purchases);
    const hasOrder = purchase && spelling.chance(0.95);
    this.conversions.add({ ...this.timed(micros, !hasId && !hasOrder), hasId, user, campaign, cause, purchase, hasOrder });
  }

  /** Where the time is what tells two records apart, it is unique to the microsecond. */
  private timed(micros: number, identifying: boolean): { micros: number; form: TimeForm } {
    if (identifying) return { micros: micros - (micros % 1000) + (this.serial++ % 1000), form: 'micros' };
    const form = this.spelling.chance(this.world.plan.rates.oddTimestamps) ? this.spelling.pick(ODD_TIME_FORMS) : 'millis';
    return { micros: cutTo(form, micros), form };
  }
}

/** 35 % within an hour, half within a day, the others within thirty, fewer and fewer. */
export function conversionDelay(random: RandomStream): number {
  const draw = random.fraction();
  if (draw < 0.35) return random.logUniform(20e6, MICROS_PER_HOUR);
  if (draw < 0.5) return random.logUniform(MICROS_PER_HOUR, MICROS_PER_DAY);
  return random.logUniform(MICROS_PER_DAY, 29.9 * MICROS_PER_DAY);
}
