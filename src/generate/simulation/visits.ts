import type { RandomStream } from '../random-stream.ts';
import type { Rates } from '../rates.ts';
import type { Audience } from '../world/audience.ts';
import type { SiteSet } from '../world/sites.ts';

const MOST_RUNNING = 1 << 16;
/** How long a visit lasts, in minutes of the traffic that it is part of. */
const MINUTES = 5;

/** People on sites: each impression continues a running visit or begins a new one, so a user's impressions come in bunches. */
export class Visits {
  user = 0;
  site = 0;
  private readonly users = new Int32Array(MOST_RUNNING);
  private readonly sites = new Int32Array(MOST_RUNNING);
  private running = 0;
  private capacity = 1;
  private readonly random: RandomStream;
  private readonly audience: Audience;
  private readonly siteSet: SiteSet;
  private readonly rates: Rates;

  constructor(random: RandomStream, audience: Audience, sites: SiteSet, rates: Rates) {
    this.random = random;
    this.audience = audience;
    this.siteSet = sites;
    this.rates = rates;
  }

  /** How many visits run at a time follows from how much traffic a minute has. */
  startMinute(impressions: number): void {
    this.capacity = Math.min(MOST_RUNNING, Math.max(4, Math.round(impressions * MINUTES * (1 - this.rates.sessionContinuation))));
    if (this.running > this.capacity) this.running = this.capacity;
  }

  /** Sets `user` and `site`. */
  next(): void {
    const { random } = this;
    if (this.running > 0 && random.chance(this.rates.sessionContinuation)) {
      this.look();
      return;
    }
    const at = this.running < this.capacity ? this.running++ : random.below(this.capacity);
    const draw = random.fraction();
    const { bots, hiddenBots } = this.rates;
    const user =
      draw < bots ? this.audience.pickBot(random) : draw < bots + hiddenBots ? this.audience.pickHiddenBot(random) : this.audience.pickPerson(random);
    this.user = this.users[at] = user;
    this.site = this.sites[at] = this.siteSet.choice.pick(random);
  }

  /** One of the running visits, where something else happens: a bid that was lost. */
  look(): void {
    if (this.running === 0) {
      this.next();
      return;
    }
    const at = this.random.below(this.running);
    this.user = this.users[at] as number;
    this.site = this.sites[at] as number;
  }
}
