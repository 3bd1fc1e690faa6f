import { MICROS_PER_DAY } from '../diurnal-curve.ts';
import type { RandomStream } from '../random-stream.ts';
import type { World } from './world.ts';

/** An amount as a record states it, and what it is worth to the instance. */
export interface StatedAmount {
  micros: number;
  /** Empty: not stated, so the instance's. */
  currency: string;
  instanceMicros: number;
}

/** Now and then states an amount in another currency, by the rate of its day, rounded as such amounts are. */
export class ForeignMoney {
  private readonly world: World;
  private readonly random: RandomStream;
  readonly stated: StatedAmount = { micros: 0, currency: '', instanceMicros: 0 };

  constructor(world: World, random: RandomStream) {
    this.world = world;
    this.random = random;
  }

  /** Fills `stated`. `stepMicros`: what the amount is rounded to. */
  state(instanceMicros: number, eventMicros: number, stepMicros: number): StatedAmount {
    const { world, random, stated } = this;
    const draw = random.fraction();
    const foreign = world.plan.rates.foreignCurrency;
    if (draw >= foreign) {
      stated.micros = Math.max(stepMicros, Math.round(instanceMicros / stepMicros) * stepMicros);
      stated.currency = draw < foreign + 0.1 * (1 - foreign) ? world.plan.currency : '';
      stated.instanceMicros = stated.micros;
      return stated;
    }
    const currency = Math.min(random.below(world.currencies.codes.length), random.below(world.currencies.codes.length));
    const day = Math.floor((eventMicros - world.plan.startMicros) / MICROS_PER_DAY);
    const rate = world.currencies.rateE9(currency, day) / 1e9;
    stated.micros = Math.max(stepMicros, Math.round(instanceMicros / rate / stepMicros) * stepMicros);
    stated.currency = world.currencies.codes[currency] as string;
    stated.instanceMicros = world.currencies.convert(stated.micros, currency, day);
    return stated;
  }
}
