/** Where people are: cities of a campaign's usual markets, with rough weights. */
export interface Place {
  /** As a profile says it; the comma makes CSV quote it, the accents make it more than ASCII. */
  readonly location: string;
  readonly country: string;
  /** `,"country":"…"` */
  readonly member: string;
  readonly weight: number;
  /** Consent under the GDPR is asked here. */
  readonly gdpr: boolean;
}

const place = (city: string, country: string, weight: number, gdpr = false): Place => ({
  location: `${city}, ${country}`,
  country,
  member: `,"country":"${country}"`,
  weight,
  gdpr,
});

export const PLACES: readonly Place[] = [
  place('New York', 'US', 9),
  place('Los Angeles', 'US', 7),
  place('Chicago', 'US', 5),
  place('Houston', 'US', 4),
  place('Phoenix', 'US', 3),
  place('Seattle', 'US', 3),
  place('Atlanta', 'US', 3),
  place('Toronto', 'CA', 4),
  place('Montréal', 'CA', 2),
  place('London', 'GB', 8),
  place('Manchester', 'GB', 3),
  place('Dublin', 'IE', 1, true),
  place('Berlin', 'DE', 5, true),
  place('Hamburg', 'DE', 3, true),
  place('München', 'DE', 3, true),
  place('Köln', 'DE', 2, true),
  place('Zürich', 'CH', 1.5),
  place('Wien', 'AT', 1.5, true),
  place('Paris', 'FR', 5, true),
  place('Lyon', 'FR', 2, true),
  place('Madrid', 'ES', 3, true),
  place('Barcelona', 'ES', 2, true),
  place('Milano', 'IT', 2.5, true),
  place('Amsterdam', 'NL', 2, true),
  place('Stockholm', 'SE', 1.5, true),
  place('Kraków', 'PL', 1.5, true),
  place('São Paulo', 'BR', 4),
  place('Mumbai', 'IN', 3),
  place('Bengaluru', 'IN', 2),
  place('Tokyo', 'JP', 2),
  place('Sydney', 'AU', 2),
];
