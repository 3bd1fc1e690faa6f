import { MICROS_PER_DAY } from '../diurnal-curve.ts';

const DOUBLE_CLICK_MICROS = 1_000_000;
const FLOOD_PER_DAY = 10;

export interface ClickVerdict {
  readonly valid: boolean;
  readonly reasons: readonly string[];
}

const VALID: ClickVerdict = { valid: true, reasons: [] };

/** Which clicks are invalid, by SEMANTICS §7 with its defaults. Clicks must come in the order of time. */
export class ClickVerdicts {
  private readonly pairs = new Map<number, { lastValid: number; day: number; validThatDay: number }>();
  private readonly campaigns: number;

  constructor(campaigns: number) {
    this.campaigns = campaigns;
  }

  judge(user: number, campaign: number, micros: number, knownBot: boolean): ClickVerdict {
    const key = user * this.campaigns + campaign;
    const pair = this.pairs.get(key);
    const double = pair !== undefined && micros - pair.lastValid <= DOUBLE_CLICK_MICROS;
    if (knownBot) return { valid: false, reasons: double ? ['bot_user_agent', 'double_click'] : ['bot_user_agent'] };
    if (double) return { valid: false, reasons: ['double_click'] };
    const day = Math.floor(micros / MICROS_PER_DAY);
    if (pair === undefined) {
      this.pairs.set(key, { lastValid: micros, day, validThatDay: 1 });
      return VALID;
    }
    if (pair.day !== day) {
      pair.day = day;
      pair.validThatDay = 0;
    }
    if (pair.validThatDay >= FLOOD_PER_DAY) return { valid: false, reasons: ['click_flood'] };
    pair.validThatDay++;
    pair.lastValid = micros;
    return VALID;
  }
}
