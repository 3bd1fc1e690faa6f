import type { Contract, NormalisedRecord } from '../contracts/contract.ts';
import type { Violation } from '../domain/outcome.ts';
import { convertCurrency } from '../domain/money.ts';
import { type FieldSlot, fieldSlots, fieldText } from './field-slots.ts';

/** Units of the instance's currency for one unit of another, in 10⁻⁹, by `currency` and day since 1970. Plain data: it goes to workers. */
export interface CurrencyRate {
  readonly currency: string;
  readonly day: number;
  readonly rateE9: number;
}

/** Brings a record's amounts into the instance's currency (SEMANTICS §3). */
export class CurrencyConverter {
  private readonly instanceCurrency: string;
  private readonly rates = new Map<string, number>();
  private readonly currency: FieldSlot | undefined;
  private readonly eventTime: FieldSlot | undefined;
  private readonly amounts: readonly number[];

  constructor(contract: Contract, instanceCurrency: string, rates: readonly CurrencyRate[]) {
    const slots = fieldSlots(contract);
    this.instanceCurrency = instanceCurrency;
    this.currency = slots.get('currency');
    this.eventTime = slots.get('event_time');
    this.amounts = contract.fields.flatMap((field, slot) => (field.type === 'money' ? [slot] : []));
    for (const { currency, day, rateE9 } of rates) this.rates.set(rateKey(currency, day), rateE9);
  }

  /** Whether the amounts are in another currency than the instance's; nothing else needs conversion. */
  isForeign(record: NormalisedRecord): boolean {
    const { currency } = this;
    if (currency === undefined || record.present[currency.slot] === 0) return false;
    if (!this.amounts.some((slot) => record.present[slot] === 1)) return false;
    return fieldText(record, currency) !== this.instanceCurrency;
  }

  unknownCurrency(record: NormalisedRecord): Violation | undefined {
    const { currency, day } = this.origin(record);
    if (this.rates.has(rateKey(currency, day))) return undefined;
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    return {
      code: 'unknown_currency',
      pointer: '/currency',
      message: `There is no rate from ${currency} to ${this.instanceCurrency} for ${date}. Ingest one in the feed currency-rates, then replay the record.`,
    };
  }

  /** Converts in place. The result of a rate that makes an amount larger than can be stored is a violation. */
  convert(record: NormalisedRecord): Violation | undefined {
    const { currency, day } = this.origin(record);
    const rateE9 = this.rates.get(rateKey(currency, day)) as number;
    for (const slot of this.amounts) {
      if (record.present[slot] === 0) continue;
      const converted = convertCurrency(record.numbers[slot] as number, rateE9);
      if (converted > LARGEST_MICROS) {
        return { code: 'bad_number', pointer: '/currency', message: `The amount is larger than can be stored once converted from ${currency} to ${this.instanceCurrency}.` };
      }
      record.numbers[slot] = converted;
    }
    return undefined;
  }

  private origin(record: NormalisedRecord): { currency: string; day: number } {
    const currency = fieldText(record, this.currency as FieldSlot) as string;
    return { currency, day: Math.floor((record.numbers[(this.eventTime as FieldSlot).slot] as number) / 86_400_000_000) };
  }
}

const LARGEST_MICROS = 8_790_000_000_000;

function rateKey(currency: string, day: number): string {
  return `${currency} ${day}`;
}
