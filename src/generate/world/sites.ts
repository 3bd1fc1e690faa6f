import { WeightedChoice, zipfWeights } from '../popularity.ts';
import { RandomStream } from '../random-stream.ts';
import type { Rates } from '../rates.ts';
import { ODD_TIME_FORMS, type TimeForm } from '../records/time-forms.ts';
import { SITE_FIRST, SITE_SECOND } from './names.ts';

export interface Site {
  readonly index: number;
  /** As it is stored in the end. */
  readonly host: string;
  /** How its records write the website, without JSON's quotes; a page number may follow. */
  readonly spelled: string;
  readonly spelledWithPage: boolean;
  readonly timeForm: TimeForm;
  /** A field the contract does not know, as it stands in JSON, or nothing. */
  readonly extraField: string;
  readonly clickFactor: number;
  readonly priceFactor: number;
  readonly spaces: readonly string[];
}

export interface SiteSet {
  readonly all: readonly Site[];
  readonly choice: WeightedChoice;
}

export function buildSites(seed: string, count: number, rates: Rates): SiteSet {
  const random = new RandomStream(seed, 'sites');
  const all = Array.from({ length: count }, (_, index): Site => {
    const host = hostName(index);
    const odd = random.chance(rates.oddWebsites) ? 1 + random.below(4) : 0;
    return {
      index,
      host,
      spelled: [host, `https://www.${host}/article/`, `WWW.${capitalised(host)}`, `http://${host}:8080/`, `${host}.`][odd] as string,
      spelledWithPage: odd === 1,
      timeForm: random.chance(rates.oddTimestamps) ? random.pick(ODD_TIME_FORMS) : 'millis',
      extraField: random.chance(rates.extraFields) ? random.pick([',"sdk_version":"4.2.1"', ',"ext":{"ab":["x",2],"deal":null}', ',"page_depth":3']) : '',
      clickFactor: random.spread(0.35),
      priceFactor: random.spread(0.25),
      spaces: Array.from({ length: 1 + random.below(5) }, (_, space) => `sp-${index + 1}-${space + 1}`),
    };
  });
  return { all, choice: new WeightedChoice(zipfWeights(count, rates.siteZipf)) };
}

function hostName(index: number): string {
  const first = SITE_FIRST[index % SITE_FIRST.length];
  const second = SITE_SECOND[(Math.floor(index / SITE_FIRST.length) + index) % SITE_SECOND.length];
  const round = Math.floor(index / (SITE_FIRST.length * SITE_SECOND.length));
  return `${first}-${second}${round === 0 ? '' : round + 1}.example`;
}

function capitalised(host: string): string {
  return host.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
