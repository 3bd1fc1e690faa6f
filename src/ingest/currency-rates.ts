import type { Contract, NormalisedRecord } from '../contracts/contract.ts';
import { convertCurrency } from '../domain/money.ts';
import type { Violation } from '../domain/outcome.ts';
import { type FieldSlot, fieldSlots, fieldText } from './field-slots.ts';

/** Units of the instance's currency for one unit of another, in 10⁻⁹, by `currency` and day since 1970. Plain data: it goes to workers. */
export interface CurrencyRate {
  readonly currency: string;
  readonly day: number;
  readonly rateE9: number;
}

/** Rates by currency and the day, in UTC, of an event. */
export class RateTable {
  private readonly rates = new Map<string, number>();

  constructor(rates: readonly CurrencyRate[]) {
    for (const { currency, day, rateE9 } of rates) this.rates.set(rateKey(currency, day), rateE9);
  }

  find(currency: string, eventMicros: number): number | undefined {
    return this.rates.get(rateKey(currency, dayOf(eventMicros)));
  }
}

/** Brings a record's amounts into the instance's currency (SEMANTICS §3). */
export class CurrencyConverter {
  private readonly instanceCurrency: string;
  private readonly instanceCode: Uint8Array;
  private readonly rates: RateTable;
  private readonly currency: FieldSlot | undefined;
  private readonly eventTime: FieldSlot | undefined;
  private readonly amounts: readonly number[];
  /** Of the field that names the currency. */
  private readonly pointer: string;

  constructor(contract: Contract, instanceCurrency: string, rates: readonly CurrencyRate[]) {
    const slots = fieldSlots(contract);
    this.instanceCurrency = instanceCurrency;
    this.instanceCode = new TextEncoder().encode(instanceCurrency);
    this.currency = slots.get('currency');
    this.eventTime = slots.get('event_time');
    this.pointer = contract.fields.find((field) => field.column === 'currency')?.pointer ?? '';
    this.amounts = contract.fields.flatMap((field, slot) => (field.type === 'money' ? [slot] : []));
    this.rates = new RateTable(rates);
  }

  /** Whether the amounts are in another currency than the instance's; nothing else needs conversion. */
  isForeign(record: NormalisedRecord): boolean {
    const { currency } = this;
    if (currency === undefined || record.present[currency.slot] === 0) return false;
    const bytes = record.buffers[currency.slot] as Uint8Array;
    const start = record.starts[currency.slot] as number;
    const [first, second, third] = this.instanceCode;
    if (bytes[start] === first && bytes[start + 1] === second && bytes[start + 2] === third) return false;
    return this.amounts.some((slot) => record.present[slot] === 1);
  }

  /** Why the amounts of a foreign record cannot be converted, if so. */
  violation(record: NormalisedRecord): Violation | undefined {
    const { currency, eventMicros } = this.origin(record);
    const rateE9 = this.rates.find(currency, eventMicros);
    if (rateE9 === undefined) {
      const date = new Date(dayOf(eventMicros) * 86_400_000).toISOString().slice(0, 10);
      return {
        code: 'unknown_currency',
        pointer: this.pointer,
        message: `There is no rate from ${currency} to ${this.instanceCurrency} for ${date}. Ingest one in the feed currency-rates, then replay the record.`,
      };
    }
    if (this.amounts.some((slot) => record.present[slot] === 1 && convertCurrency(record.numbers[slot] as number, rateE9) === null)) {
      return {
        code: 'bad_number',
        pointer: this.pointer,
        message: `Converted from ${currency} to ${this.instanceCurrency}, an amount is larger than can be stored.`,
      };
    }
    return undefined;
  }

  /** In place; only where there is no violation. */
  convert(record: NormalisedRecord): void {
    const { currency, eventMicros } = this.origin(record);
    const rateE9 = this.rates.find(currency, eventMicros) as number;
    for (const slot of this.amounts) {
      if (record.present[slot] === 1) record.numbers[slot] = convertCurrency(record.numbers[slot] as number, rateE9) as number;
    }
  }

  private origin(record: NormalisedRecord): { currency: string; eventMicros: number } {
    const currency = fieldText(record, this.currency as FieldSlot) as string;
    return { currency, eventMicros: record.numbers[(this.eventTime as FieldSlot).slot] as number };
  }
}

function dayOf(micros: number): number {
  return Math.floor(micros / 86_400_000_000);
}

function rateKey(currency: string, day: number): string {
  return `${currency} ${day}`;
}
