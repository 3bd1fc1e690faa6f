import { WeightedChoice, zipfWeights } from '../popularity.ts';
import { RandomStream } from '../random-stream.ts';
import type { Rates } from '../rates.ts';
import { ODD_TIME_FORMS, type TimeForm } from '../records/time-forms.ts';
import { SITE_FIRST, SITE_SECOND } from './names.ts';

export interface Site {
  readonly index: number;
  /** As it is stored in the end. */
  readonly host: string;
  /** `,"website":"…` as its records write it, up to where a page number may follow. */
  readonly website: string;
  readonly websiteHasPage: boolean;
  readonly timeForm: TimeForm;
  /** A field the contract does not know, as it stands in JSON, or nothing. */
  readonly extraField: string;
  readonly clickFactor: number;
  readonly priceFactor: number;
  readonly spaces: readonly Space[];
}

/** A place for advertisements on a site. */
export interface Space {
  readonly id: string;
  /** `,"placement_id":"…"` */
  readonly member: string;
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
      website: `,"website":"${[host, `https://www.${host}/article/`, `WWW.${capitalised(host)}`, `http://${host}:8080/`, `${host}.`][odd]}${odd === 1 ? '' : '"'}`,
      websiteHasPage: odd === 1,
      timeForm: random.chance(rates.oddTimestamps) ? random.pick(ODD_TIME_FORMS) : 'millis',
      extraField: random.chance(rates.extraFields) ? random.pick([',"sdk_version":"4.2.1"', ',"ext":{"ab":["x",2],"deal":null}', ',"page_depth":3']) : '',
      clickFactor: random.spread(0.35),
      priceFactor: random.spread(0.25),
      spaces: Array.from({ length: 1 + random.below(5) }, (_, space): Space => {
        const id = `sp-${index + 1}-${space + 1}`;
        return { id, member: `,"placement_id":"${id}"` };
      }),
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
