import { MICROS_PER_DAY } from '../diurnal-curve.ts';
import type { GeneratePlan } from '../options.ts';
import { Audience } from '../world/audience.ts';
import { buildCampaigns, type CampaignSet } from '../world/campaigns.ts';
import { type CurrencyCode, CurrencyRates } from '../world/currencies.ts';
import { buildSites, type SiteSet } from '../world/sites.ts';

/** Everything that is there before anything happens. */
export interface World {
  readonly plan: GeneratePlan;
  readonly endMicros: number;
  /** Nothing happens from here on. */
  readonly deadlineMicros: number;
  readonly campaigns: CampaignSet;
  readonly sites: SiteSet;
  readonly audience: Audience;
  readonly currencies: CurrencyRates;
}

export function buildWorld(plan: GeneratePlan): World {
  const { seed, rates, startMicros, days, tailDays } = plan;
  const endMicros = startMicros + days * MICROS_PER_DAY;
  return {
    plan,
    endMicros,
    deadlineMicros: endMicros + tailDays * MICROS_PER_DAY,
    campaigns: buildCampaigns(seed, plan.campaigns, rates, startMicros, endMicros),
    sites: buildSites(seed, plan.sites, rates),
    audience: new Audience(seed, plan.users, rates),
    currencies: new CurrencyRates(seed, plan.currency as CurrencyCode, days + tailDays),
  };
}
