import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvertiseXError } from '../domain/errors.ts';
import { FEEDS, type Feed } from '../domain/feeds.ts';
import { RecordSlots, ValueKind } from '../encodings/record-slots.ts';
import { compileContract } from './compile-contract.ts';
import type { Contract, ContractField } from './contract.ts';
import { NEEDED_COLUMNS, REFERENCE_KEYS } from './feed-columns.ts';
import { loadContract, loadContracts, parseContract } from './load-contract.ts';

const SHIPPED = join(import.meta.dirname, '..', '..', 'contracts');

function shipped(feed: Feed): Promise<string> {
  return readFile(join(SHIPPED, `${feed}.odcs.yaml`), 'utf8');
}

/** A shipped contract with one edit, as a client would make it in an editor. The edit must hit. */
async function edited(feed: Feed, ...edits: readonly (readonly [string, string])[]): Promise<Contract> {
  let content = await shipped(feed);
  for (const [from, to] of edits) {
    expect(content, `the contract holds ${from}`).toContain(from);
    content = content.replace(from, () => to);
  }
  return parseContract('edited.odcs.yaml', content);
}

async function messageOf(contract: Promise<unknown>): Promise<string> {
  const error = await contract.then(
    () => expect.fail('the contract was taken'),
    (problem: unknown) => problem,
  );
  expect(error).toBeInstanceOf(AdvertiseXError);
  expect((error as AdvertiseXError).code).toBe('contract_invalid');
  expect((error as AdvertiseXError).remedy).not.toBe('');
  return (error as AdvertiseXError).message;
}

function fieldOf(contract: Contract, name: string): ContractField {
  const field = contract.fields.find((candidate) => candidate.name === name);
  if (!field) expect.fail(`${name} is not in the contract`);
  return field;
}

/** The fields of bid requests begin here: a place to put another one. */
const FIRST_BID_FIELD = '      - name: auction\n';

function extraField(lines: string): readonly [string, string] {
  return [FIRST_BID_FIELD, `${lines.trimEnd()}\n${FIRST_BID_FIELD}`];
}

describe('the shipped contracts', () => {
  let contracts: Map<Feed, Contract>;
  beforeAll(async () => {
    contracts = await loadContracts(SHIPPED);
  });

  test('there is one for each feed', () => {
    expect([...contracts.keys()]).toEqual([...FEEDS]);
    for (const [feed, contract] of contracts) expect(contract).toMatchObject({ feed, version: '1.0.0' });
  });

  test('every field is described and has an example', () => {
    for (const contract of contracts.values()) {
      for (const field of contract.fields) {
        expect(field.description?.length ?? 0, `${contract.feed} ${field.name}`).toBeGreaterThan(20);
        expect(field.examples?.length ?? 0, `${contract.feed} ${field.name}`).toBeGreaterThan(0);
      }
    }
  });

  test.each<[Feed, string]>([
    [
      'ad-impressions',
      'creative_id:id! user_id:id! timestamp>event_time:timestamp! website:host! impression_id:id campaign_id:id auction_id:id placement_id:id price>price_cpm_micros:money ' +
        'currency:currency user_agent:text(2048) ip:text(64) country:country device_type:enum(desktop,mobile,tablet,ctv,other) viewable:boolean consent_gdpr:boolean ' +
        'consent_tcf:text(4096) consent_us_privacy:text(16)',
    ],
    [
      'clicks-conversions',
      'timestamp>event_time:timestamp! user_id:id! campaign_id:id+ conversion_type:text(64)+ event_id:id event_type:enum(click,conversion) creative_id:id order_id:id ' +
        'value>value_micros:money currency:currency user_agent:text(2048) ip:text(64)',
    ],
    [
      'bid-requests',
      'timestamp>event_time:timestamp! auction.user_id>user_id:id! auction.space_id>space_id:id! auction.amount>amount_cpm_micros:money! auction.campaign_id>campaign_id:id ' +
        'auction.creative_id>creative_id:id auction.won>won:boolean auction.clearing_price>clearing_cpm_micros:money auction.currency>currency:currency request_id:id ' +
        'bidder.client_id>client_id:id targeting.age>target_age:text(32) targeting.location>target_location:text(256) targeting.gender>target_gender:text(32)',
    ],
    [
      'campaigns',
      'campaign_id:id! name:text(256) pricing_model:enum(cpm,cpc,cpa) rate>rate_micros:money budget>budget_micros:money currency:currency start>start_date:date end>end_date:date',
    ],
    ['creatives', 'creative_id:id! campaign_id:id! name:text(256) format:text(64) valid_from:timestamp'],
    ['users', 'user_id:id! age:text(32) gender:text(32) location:text(256) segment:text(256)'],
    ['currency-rates', 'rate_date:date! currency:currency! rate>rate_e9:rate!'],
  ])('%s: names, columns, types and what is required', (feed, expected) => {
    const fields = (contracts.get(feed) as Contract).fields.map((field) => {
      const limits = field.values?.join(',') ?? (field.type === 'text' ? field.maxLength : undefined);
      const name = field.name === field.column ? field.name : `${field.name}>${field.column}`;
      return `${name}:${field.type}${limits === undefined ? '' : `(${limits})`}${field.required ? '!' : ''}${field.mustBePresent ? '+' : ''}`;
    });
    expect(fields.join(' ')).toBe(expected);
  });

  test('ids, amounts and rates carry their bounds in the unit of the column', () => {
    const field = (feed: Feed, name: string) => fieldOf(contracts.get(feed) as Contract, name);
    expect(field('ad-impressions', 'user_id')).toMatchObject({ minLength: 1, maxLength: 256, pointer: '/user_id' });
    expect(field('ad-impressions', 'price')).toMatchObject({ minimum: 0, maximum: 8_790_000_000_000 });
    expect(field('bid-requests', 'auction.amount')).toMatchObject({ pointer: '/auction/amount' });
    expect(field('currency-rates', 'rate')).toMatchObject({ minimum: 1 });
  });

  test('needed columns and keys name what the contracts hold', () => {
    for (const feed of FEEDS) {
      const columns = (contracts.get(feed) as Contract).fields.map(({ column }) => column);
      expect(columns).toEqual(expect.arrayContaining(NEEDED_COLUMNS[feed].map(({ column }) => column)));
      expect(columns).toEqual(expect.arrayContaining([...(REFERENCE_KEYS[feed] ?? [])]));
    }
  });
});

describe('a change needs no code', () => {
  const RULES = { nullSpellings: [''], timeZone: 'UTC' };

  function check(contract: Contract, name: string, value: string): string {
    const slots = new RecordSlots(contract.fields.length);
    const index = contract.fields.indexOf(fieldOf(contract, name));
    const bytes = Buffer.from(value);
    slots.set(index, ValueKind.text, bytes, 0, bytes.length);
    const compiled = compileContract(contract, RULES);
    compiled.check(slots, Date.UTC(2026, 3, 1) * 1_000);
    return compiled.result.violations.find(({ pointer }) => pointer === contract.fields[index]?.pointer)?.code ?? 'taken';
  }

  test('a new optional field gets a column from its name', async () => {
    const contract = await edited(
      'bid-requests',
      extraField('      - { name: floor, logicalType: object, properties: [{ name: price, logicalType: string }] }'),
    );
    expect(fieldOf(contract, 'floor.price')).toMatchObject({ column: 'floor_price', type: 'text', pointer: '/floor/price', required: false, aliases: [] });
  });

  test('or the column that it names', async () => {
    const contract = await edited(
      'bid-requests',
      extraField(`      - name: floorPrice
        logicalType: number
        customProperties: [{ property: fieldType, value: money }, { property: column, value: floor_cpm_micros }]`),
    );
    expect(fieldOf(contract, 'floorPrice')).toMatchObject({ column: 'floor_cpm_micros', type: 'money' });
  });

  test('another name for a column: by renaming the field, or by an alias', async () => {
    const renamed = await edited(
      'ad-impressions',
      ['- name: user_id', '- name: uid'],
      [
        '- { property: fieldType, value: id }\n      - name: timestamp',
        '- { property: fieldType, value: id }\n          - { property: column, value: user_id }\n      - name: timestamp',
      ],
    );
    expect(fieldOf(renamed, 'uid')).toMatchObject({ column: 'user_id', type: 'id', required: true });
    const aliased = await edited('ad-impressions', [
      '{ property: column, value: event_time }',
      '{ property: column, value: event_time }\n          - { property: aliases, value: [ts, event.time] }',
    ]);
    expect(compileContract(aliased, RULES).paths[2]).toEqual({ paths: [['timestamp'], ['ts'], ['event', 'time']] });
  });

  test('a tighter range, a new value, a pattern, a shorter text', async () => {
    const contract = await edited(
      'ad-impressions',
      ['logicalTypeOptions: { minimum: 0, maximum: 8790000 }', 'logicalTypeOptions: { minimum: 0.01, exclusiveMaximum: 50 }'],
      ['[desktop, mobile, tablet, ctv, other]', '[desktop, mobile, tablet, ctv, watch, other]'],
      ['logicalTypeOptions: { maxLength: 16 }', "logicalTypeOptions: { maxLength: 4, pattern: '^1[YN-]{3}$' }"],
    );
    expect(fieldOf(contract, 'price')).toMatchObject({ minimum: 10_000, maximum: 49_999_999 });
    expect(['0.009999', '0.01', '49.999999', '50'].map((value) => check(contract, 'price', value))).toEqual(['bad_number', 'taken', 'taken', 'bad_number']);
    expect(['watch', 'fridge'].map((value) => check(contract, 'device_type', value))).toEqual(['taken', 'bad_enum']);
    expect(['1YNN', '1ynn', '1YNNN'].map((value) => check(contract, 'consent_us_privacy', value))).toEqual(['taken', 'wrong_type', 'wrong_type']);
  });

  test('bounds of times, dates and whole numbers', async () => {
    const contract = await edited(
      'bid-requests',
      ['logicalType: timestamp\n', "logicalType: timestamp\n        logicalTypeOptions: { minimum: '2026-01-01T00:00:00Z' }\n"],
      extraField(`      - { name: due, logicalType: date, logicalTypeOptions: { exclusiveMinimum: '2026-01-01', maximum: '2026-12-31' } }
      - { name: slots, logicalType: integer, logicalTypeOptions: { minimum: 1, exclusiveMaximum: 10 } }`),
    );
    expect(fieldOf(contract, 'timestamp')).toMatchObject({ minimum: Date.UTC(2026, 0, 1) * 1_000 });
    expect(['2025-12-31T23:59:59Z', '2026-01-01T00:00:00Z'].map((value) => check(contract, 'timestamp', value))).toEqual(['timestamp_out_of_range', 'taken']);
    expect(['2026-01-01', '2026-01-02', '2026-12-31', '2027-01-01'].map((value) => check(contract, 'due', value))).toEqual([
      'timestamp_out_of_range',
      'taken',
      'taken',
      'timestamp_out_of_range',
    ]);
    expect(['0', '1', '9', '10'].map((value) => check(contract, 'slots', value))).toEqual(['bad_number', 'taken', 'taken', 'bad_number']);
  });

  test('a text that may only be certain words is an enum without further words', async () => {
    const words = '[{ type: library, metric: invalidValues, mustBe: 0, arguments: { validValues: [a, b] } }]';
    const contract = await edited('bid-requests', extraField(`      - { name: grade, logicalType: string, quality: ${words} }`));
    expect(fieldOf(contract, 'grade')).toMatchObject({ type: 'enum', values: ['a', 'b'] });
  });

  test('optional fields that nothing needs may go, and may become required', async () => {
    const country = / {6}- name: country\n(?: {8}.*\n)+/.exec(await shipped('ad-impressions'))?.[0] as string;
    expect((await edited('ad-impressions', [country, ''])).fields.map(({ name }) => name)).not.toContain('country');
    const required = await edited('ad-impressions', ['- name: country\n', '- name: country\n        required: true\n']);
    expect(fieldOf(required, 'country').required).toBe(true);
  });

  test('a client’s own custom properties, tags and links are left alone', async () => {
    const contract = await edited(
      'bid-requests',
      extraField('      - { name: extra, logicalType: string, tags: [x], customProperties: [{ property: ownersTeam, value: bidding }] }'),
    );
    expect(fieldOf(contract, 'extra').column).toBe('extra');
  });
});

describe('what is refused, with its line, its place and what was expected', () => {
  test.each<[string, Feed, readonly (readonly [string, string])[], string | RegExp]>([
    ['broken YAML', 'users', [['kind: DataContract', 'kind: [DataContract']], /^edited\.odcs\.yaml:\d+: is not valid YAML: /],
    ['a key twice', 'users', [['status: active', 'status: active\nstatus: draft']], /:8: is not valid YAML: .*unique/],
    [
      'an unknown key of the whole',
      'users',
      [['apiVersion: v3.1.0', 'apiVersion: v3.1.0\nserver: x']],
      /^edited\.odcs\.yaml:3: server: the standard has no such key here/,
    ],
    [
      'an unknown key of the standard',
      'users',
      [['        logicalType: string\n', '        logicalType: string\n        type: id\n']],
      'edited.odcs.yaml:26: user_id, type: the standard has no such key here (what is your own goes into customProperties)',
    ],
    [
      'a wrong logicalType',
      'users',
      [['logicalType: string', 'logicalType: text']],
      /:25: user_id, logicalType: must be equal to one of the allowed values: string, date/,
    ],
    ['an older standard', 'users', [['apiVersion: v3.1.0', 'apiVersion: v3.0.2']], 'edited.odcs.yaml:2: apiVersion: expected v3.1.0, not v3.0.2'],
    ['another feed', 'users', [['name: users', 'name: people']], /:5: name: expected the name of a feed \(ad-impressions, .*\), not people/],
    ['two objects', 'users', [['schema:\n', 'schema:\n  - { name: other }\n']], /: schema: expected exactly one object/],
    ['an unknown field type', 'users', [['value: text', 'value: words']], /: age, customProperties\[0\]\.value: expected one of id, text, .*, not words/],
    [
      'a field type that is not the logicalType’s',
      'users',
      [['value: text', 'value: money']],
      /: age, logicalType: expected number for fieldType money, not string/,
    ],
    [
      'a slip in a custom property',
      'users',
      [['property: fieldType, value: text', 'property: field_type, value: text']],
      /: age, customProperties\[0\]\.property: expected fieldType, not field_type/,
    ],
    [
      'a custom property twice',
      'users',
      [['- { property: fieldType, value: text }', '- { property: fieldType, value: text }\n          - { property: fieldType, value: id }']],
      /fieldType is given twice/,
    ],
    [
      'a needed field that is gone',
      'users',
      [['- name: segment', '- name: cohort']],
      /: schema\[0\]\.properties: the field for the column segment \(text\) is missing; models need it/,
    ],
    [
      'a needed field of another type',
      'users',
      [['value: id', 'value: text']],
      /:22: user_id: expected fieldType id, not text; models need the column user_id so/,
    ],
    ['a needed field made optional', 'users', [['required: true', 'required: false']], /: user_id: expected required: true; models need/],
    [
      'a column that must be there let go',
      'clicks-conversions',
      [['- { property: mustBePresent, value: true }', '- { property: mustBePresent, value: false }']],
      /: campaign_id: expected the custom property mustBePresent: true/,
    ],
    [
      'a value that models do not know',
      'campaigns',
      [['[cpm, cpc, cpa]', '[cpm, cpc, cpa, cpi]']],
      /: pricing_model: expected only cpm, cpc, cpa in validValues, not cpi/,
    ],
    ['a rate of nothing', 'currency-rates', [['exclusiveMinimum: 0', 'minimum: 0']], /: rate: expected exclusiveMinimum: 0/],
    ['an enum without values', 'campaigns', [['metric: invalidValues', 'metric: nullValues']], /: pricing_model: an enum needs its values/],
    ['values of something else', 'campaigns', [['value: enum', 'value: text']], /: pricing_model, quality: validValues are checked for an enum only/],
    ['values that are tolerated', 'campaigns', [['mustBe: 0', 'mustBe: 5']], /: pricing_model, quality\[0\]: expected mustBe: 0/],
    [
      'values that are no texts',
      'campaigns',
      [['[cpm, cpc, cpa]', '[cpm, 1, true]']],
      /: pricing_model, quality\[0\]: expected arguments\.validValues: a list of different texts/,
    ],
    [
      'a reserved column',
      'bid-requests',
      [extraField('      - { name: batch_id, logicalType: string }')],
      /: batch_id: the column batch_id is one that the product writes itself/,
    ],
    ['a word of SQL', 'bid-requests', [extraField('      - { name: order, logicalType: string }')], /: order: the column order is a word of SQL/],
    [
      'a column twice',
      'bid-requests',
      [extraField('      - { name: win, logicalType: boolean, customProperties: [{ property: column, value: won }] }')],
      /: auction\.won: the column won is already that of win/,
    ],
    [
      'a column name that engines do not take',
      'bid-requests',
      [extraField('      - { name: floorPrice, logicalType: string }')],
      /: floorPrice: expected a column name of small letters, digits and underscores, not floorPrice; give one with the custom property column/,
    ],
    [
      'a name twice',
      'bid-requests',
      [extraField('      - { name: request_id, logicalType: string, customProperties: [{ property: column, value: other }] }')],
      /the name request_id is already that of request_id/,
    ],
    [
      'an alias that is another’s name',
      'bid-requests',
      [extraField('      - { name: extra, logicalType: string, customProperties: [{ property: aliases, value: [auction.won] }] }')],
      /the name auction\.won is already that of extra/,
    ],
    [
      'a name within another',
      'bid-requests',
      [extraField('      - { name: extra, logicalType: string, customProperties: [{ property: aliases, value: [auction] }] }')],
      /: extra: auction is a single value here, but auction\.user_id needs it to be an object/,
    ],
    [
      'aliases that are no list',
      'bid-requests',
      [extraField('      - { name: extra, logicalType: string, customProperties: [{ property: aliases, value: other }] }')],
      /expected a list of other names/,
    ],
    [
      'a name with a dot',
      'bid-requests',
      [extraField('      - { name: a.b, logicalType: string }')],
      /: expected a name without dots|name: expected a name without dots/,
    ],
    [
      'a number without its unit',
      'bid-requests',
      [extraField('      - { name: extra, logicalType: number }')],
      /: extra: a number needs the custom property fieldType: money/,
    ],
    ['a list', 'bid-requests', [extraField('      - { name: extra, logicalType: array }')], /: extra, logicalType: expected string, .* not array/],
    ['nothing of a type', 'bid-requests', [extraField('      - { name: extra }')], /: extra, logicalType: expected string, .* not nothing/],
    [
      'a required object',
      'bid-requests',
      [['        logicalType: object\n        properties:', '        logicalType: object\n        required: true\n        properties:']],
      /: auction, required: an object cannot be required/,
    ],
    [
      'an object without properties',
      'bid-requests',
      [extraField('      - { name: extra, logicalType: object }')],
      /: extra, properties: expected a list of properties/,
    ],
    ['a longer id', 'users', [['maxLength: 256', 'maxLength: 257']], /: user_id, logicalTypeOptions\.maxLength: an id has at most 256 characters/],
    ['no length at all', 'users', [['minLength: 1', 'minLength: 257']], /: user_id, logicalTypeOptions\.minLength: is more than maxLength \(256\)/],
    ['a broken pattern', 'users', [['{ maxLength: 32 }', "{ pattern: '(' }"]], /: age, logicalTypeOptions\.pattern: is not a regular expression/],
    ['too much money', 'campaigns', [['maximum: 8790000', 'maximum: 8790001']], /: rate, logicalTypeOptions: money is at most 8790000/],
    ['negative money', 'campaigns', [['minimum: 0', 'minimum: -1']], /: rate, logicalTypeOptions: money is never negative/],
    [
      'a bound finer than micros',
      'campaigns',
      [['minimum: 0', 'minimum: 0.0000001']],
      /: rate, logicalTypeOptions\.minimum: expected a number with at most six digits after the point, not 1e-7/,
    ],
    [
      'no room between the bounds',
      'campaigns',
      [['minimum: 0, maximum: 8790000', 'exclusiveMinimum: 5, maximum: 5']],
      /: rate, logicalTypeOptions: leaves no value/,
    ],
    [
      'a bound that is no date',
      'campaigns',
      [['logicalType: date\n', "logicalType: date\n        logicalTypeOptions: { minimum: '1/2/2026' }\n"]],
      /: start, logicalTypeOptions\.minimum: expected a date in quotes/,
    ],
    [
      'a time zone of its own',
      'creatives',
      [['logicalType: timestamp\n', 'logicalType: timestamp\n        logicalTypeOptions: { defaultTimezone: Europe/Berlin }\n']],
      /: valid_from, logicalTypeOptions\.defaultTimezone: is not used: set feeds/,
    ],
    [
      'a format of its own',
      'campaigns',
      [['logicalType: date\n', 'logicalType: date\n        logicalTypeOptions: { format: dd.MM.yyyy }\n']],
      /: start, logicalTypeOptions\.format: is not used/,
    ],
    ['steps', 'campaigns', [['minimum: 0', 'multipleOf: 0.5']], /: rate, logicalTypeOptions\.multipleOf: is not checked/],
    [
      'options of an enum',
      'campaigns',
      [['        quality:', '        logicalTypeOptions: { maxLength: 3 }\n        quality:']],
      /: pricing_model, logicalTypeOptions: an enum is checked by its values alone/,
    ],
    ['unique', 'users', [['primaryKey: true', 'unique: true']], /: user_id, unique: is not checked/],
    ['another key', 'creatives', [['primaryKeyPosition: 2', 'primaryKeyPosition: 0']], /expected primaryKey on creative_id, valid_from, in this order/],
    ['a key of events', 'bid-requests', [['        required: true', '        required: true\n        primaryKey: true']], /: timestamp: events are told apart/],
    ['an example that is no single value', 'users', [['examples: [25-34]', 'examples: [[25, 34]]']], /: age, examples\[0\]: expected a single value/],
  ])('%s', async (_, feed, edits, expected) => {
    const message = await messageOf(edited(feed, ...edits));
    if (typeof expected === 'string') expect(message.split('\n')).toContain(expected);
    else expect(message).toMatch(expected);
  });

  test('all faults are counted, the first ones spelled out', async () => {
    const content = (await shipped('users')).replaceAll('value: text', 'value: words');
    const message = await messageOf(parseContract('users.odcs.yaml', content));
    expect(message.split('\n').length).toBe(6);
    expect(message).toMatch(/… and \d+ more$/);
  });
});

describe('folders', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'contracts-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  async function folder(name: string, feeds: readonly Feed[]): Promise<string> {
    const path = join(dir, name);
    await mkdir(path);
    for (const feed of feeds) await writeFile(join(path, `${feed}.odcs.yaml`), await shipped(feed));
    return path;
  }

  test('files go by what they hold, not by their names, and others are left alone', async () => {
    const path = await folder('renamed', FEEDS.slice(1));
    await writeFile(join(path, 'views.odcs.yml'), await shipped('ad-impressions'));
    await writeFile(join(path, 'notes.yaml'), 'not: a contract');
    expect([...(await loadContracts(path)).keys()]).toEqual([...FEEDS]);
  });

  test('a feed without a contract, or with two, is named', async () => {
    expect(await messageOf(loadContracts(await folder('missing', FEEDS.slice(2))))).toMatch(/missing: no contract for ad-impressions, clicks-conversions$/);
    const twice = await folder('twice', FEEDS);
    await writeFile(join(twice, 'z.odcs.yaml'), await shipped('users'));
    expect(await messageOf(loadContracts(twice))).toMatch(/z\.odcs\.yaml: users has a contract already, in .*users\.odcs\.yaml$/);
  });

  test('a folder or a file that cannot be read says so', async () => {
    expect(await messageOf(loadContracts(join(dir, 'nowhere')))).toMatch(/nowhere: the folder of contracts cannot be read$/);
    expect(await messageOf(loadContract(join(dir, 'nowhere.odcs.yaml')))).toMatch(/nowhere\.odcs\.yaml: the contract cannot be read$/);
  });
});
