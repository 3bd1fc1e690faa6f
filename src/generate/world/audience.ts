import { WeightedChoice, zipfWeights } from '../popularity.ts';
import { RandomStream } from '../random-stream.ts';
import type { Rates } from '../rates.ts';
import { scramble, scrambledId } from './hashing.ts';
import { SEGMENTS } from './names.ts';
import { PLACES, type Place } from './places.ts';
import { BOTS, DEVICES, type Device } from './user-agents.ts';

const AGES = ['18-24', '25-34', '35-44', '45-54', '55-64', '65+', 'unknown'] as const;
const GENDERS = ['female', 'male', 'other', 'unknown'] as const;
const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, octet) => String(octet));
const CAP_TIMES_MEAN = 100;
/** A profile in 32 bits: these widths, from the lowest bits upwards at these places, and the sign for a numeric id. */
const BITS = { eagerness: 7, device: 5, segment: 4, gender: 2, age: 3, place: 5 };
const SHIFT = { secondDevice: 7, firstDevice: 12, segment: 17, gender: 21, age: 23, place: 26 };

/**
 * Everyone an advertisement can be shown to, by index: people, then strangers (who turn up in clicks and conversions without
 * ever being shown anything), then bots that say so, then bots that do not. Profiles are drawn once and stay.
 */
export class Audience {
  readonly people: number;
  readonly strangers: number;
  readonly bots: number;
  readonly hiddenBots: number;
  readonly size: number;
  /** Each one's profile in one number, so that it costs one visit to memory. */
  private readonly profiles: Int32Array;
  private readonly eagernesses: Float64Array;
  private readonly ids: (string | undefined)[];
  private readonly idSalt: number;
  private readonly ipSalt: number;
  private readonly peopleChoice: WeightedChoice;
  private readonly botChoice: WeightedChoice;
  private readonly hiddenBotChoice: WeightedChoice;

  constructor(seed: string, people: number, rates: Rates) {
    const random = new RandomStream(seed, 'audience');
    this.idSalt = random.bits();
    this.ipSalt = random.bits();
    this.people = people;
    this.strangers = Math.max(20, Math.round(people * 0.05));
    this.bots = Math.max(3, Math.round(people * 0.001));
    this.hiddenBots = Math.max(2, Math.round(people * 0.0005));
    this.size = this.people + this.strangers + this.bots + this.hiddenBots;
    // Made at its full size: filled in at random places it would become a slow dictionary.
    this.ids = new Array(this.size);
    this.profiles = new Int32Array(this.size);
    const placeChoice = new WeightedChoice(PLACES.map(({ weight }) => weight));
    const ageChoice = new WeightedChoice([11, 20, 19, 16, 13, 12, 9]);
    const genderChoice = new WeightedChoice([45, 44, 2, 9]);
    const deviceChoice = new WeightedChoice(DEVICES.map(({ weight }) => weight));
    const crawlerChoice = new WeightedChoice(BOTS.map(({ weight }) => weight));
    const eagerness = Float64Array.from({ length: 1 << BITS.eagerness }, () => random.spread(0.7));
    const mean = eagerness.reduce((sum, each) => sum + each, 0) / eagerness.length;
    this.eagernesses = eagerness.map((each) => each / mean);
    for (let user = 0; user < this.size; user++) {
      const devices = this.isBot(user) ? crawlerChoice : deviceChoice;
      const device = devices.pick(random);
      // A third of people use a second device now and then; a bot is one program.
      const second = !this.isBot(user) && random.chance(0.35) ? devices.pick(random) : device;
      let profile = random.chance(rates.numericUserIds) ? 1 : 0;
      profile = (profile << BITS.place) | placeChoice.pick(random);
      profile = (profile << BITS.age) | ageChoice.pick(random);
      profile = (profile << BITS.gender) | genderChoice.pick(random);
      profile = (profile << BITS.segment) | random.below(SEGMENTS.length);
      profile = (profile << BITS.device) | device;
      profile = (profile << BITS.device) | second;
      this.profiles[user] = (profile << BITS.eagerness) | random.below(1 << BITS.eagerness);
    }
    this.peopleChoice = new WeightedChoice(zipfWeights(this.people, rates.userZipf, CAP_TIMES_MEAN));
    this.botChoice = new WeightedChoice(zipfWeights(this.bots, 0.8));
    this.hiddenBotChoice = new WeightedChoice(zipfWeights(this.hiddenBots, 0.8));
  }

  pickPerson(random: RandomStream): number {
    return this.peopleChoice.pick(random);
  }
  pickStranger(random: RandomStream): number {
    return this.people + random.below(this.strangers);
  }
  pickBot(random: RandomStream): number {
    return this.people + this.strangers + this.botChoice.pick(random);
  }
  pickHiddenBot(random: RandomStream): number {
    return this.people + this.strangers + this.bots + this.hiddenBotChoice.pick(random);
  }

  /** A bot whose user agent gives it away. */
  isBot(user: number): boolean {
    return user >= this.people + this.strangers && user < this.people + this.strangers + this.bots;
  }
  isHiddenBot(user: number): boolean {
    return user >= this.people + this.strangers + this.bots;
  }
  isStranger(user: number): boolean {
    return user >= this.people && user < this.people + this.strangers;
  }

  id(user: number): string {
    let id = this.ids[user];
    if (id === undefined) {
      id = this.hasNumericId(user)
        ? // Nineteen digits below 2^63: the last fifteen are the user's own, so none repeats.
          String(1000 + (scramble(user, this.idSalt) % 8000)) + String(user * 1_000_003 + 12_345_678_901).padStart(15, '0')
        : `u-${scrambledId(user >>> 25, user & 0x1ffffff, this.idSalt)}`;
      this.ids[user] = id;
    }
    return id;
  }

  hasNumericId(user: number): boolean {
    return (this.profiles[user] as number) < 0;
  }
  place(user: number): Place {
    return PLACES[this.field(user, SHIFT.place, BITS.place)] as Place;
  }
  age(user: number): string {
    return AGES[this.field(user, SHIFT.age, BITS.age)] as string;
  }
  gender(user: number): string {
    return GENDERS[this.field(user, SHIFT.gender, BITS.gender)] as string;
  }
  segment(user: number): string {
    return SEGMENTS[this.field(user, SHIFT.segment, BITS.segment)] as string;
  }
  /** How readily someone clicks, as a multiple of the average. */
  eagerness(user: number): number {
    return this.eagernesses[this.field(user, 0, BITS.eagerness)] as number;
  }
  /** The device in hand now: mostly the first one. */
  device(user: number, random: RandomStream): Device {
    const index = this.field(user, random.chance(0.8) ? SHIFT.firstDevice : SHIFT.secondDevice, BITS.device);
    return (this.isBot(user) ? BOTS : DEVICES)[index] as Device;
  }

  /** The network of the user's connection; the last number is left out, as careful collectors do. */
  ip(user: number): string {
    const bits = scramble(user, this.ipSalt);
    return `${OCTETS[20 + (bits & 127)]}.${OCTETS[(bits >>> 8) & 255]}.${OCTETS[(bits >>> 16) & 255]}.0`;
  }

  private field(user: number, shift: number, bits: number): number {
    return ((this.profiles[user] as number) >>> shift) & ((1 << bits) - 1);
  }
}
