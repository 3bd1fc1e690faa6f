import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdvertiseXError } from '../domain/errors.ts';
import { loadSettings } from './load-settings.ts';
import { SETTINGS_LIST } from './setting-list.ts';
import { settingsSchema } from './settings.ts';
import { renderSettingsFile } from './settings-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(yaml: string, environment: Record<string, string> = {}) {
  const path = join(folder, 'advertisex.yaml');
  writeFileSync(path, yaml);
  return loadSettings({ path, environment });
}

function problems(yaml: string, environment: Record<string, string> = {}): string[] {
  try {
    load(yaml, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(AdvertiseXError);
    expect((error as AdvertiseXError).code).toBe('config_invalid');
    return (error as AdvertiseXError).message.replaceAll(`${folder}/`, '').split('\n');
  }
  throw new Error('expected the settings to be refused');
}

describe('loadSettings', () => {
  it('gives every default without a file, and with an empty one', () => {
    expect(loadSettings({ environment: {} })).toEqual(settingsSchema.parse({}));
    expect(load('')).toEqual(settingsSchema.parse({}));
    expect(load('# nothing\n')).toEqual(settingsSchema.parse({}));
  });

  it('reads the file that init writes as the defaults', () => {
    expect(load(renderSettingsFile())).toEqual(settingsSchema.parse({}));
  });

  it('takes a section or a setting with nothing behind it as the default', () => {
    expect(load('limits:\n  threads:\n  record_bytes: 2048\nlake:\n').limits).toMatchObject({ record_bytes: 2048, batch_records: 500_000 });
  });

  it('lets the environment win over the file, in the form the file has', () => {
    const settings = load('attribution:\n  match: user\n  half_life_seconds: 60\n', {
      ADVERTISEX_ATTRIBUTION_HALF_LIFE_SECONDS: '3600',
      ADVERTISEX_FEEDS_AD_IMPRESSIONS_TIME_ZONE: 'Europe/Berlin',
      ADVERTISEX_NORMALISING_NULL_SPELLINGS: '["", none]',
      ADVERTISEX_LAKE_AFTER_INGEST: 'false',
      ADVERTISEX_INSTANCE_CURRENCY: 'EUR',
      PATH: '/bin',
    });
    expect(settings.attribution).toMatchObject({ match: 'user', half_life_seconds: 3600 });
    expect(settings.feeds['ad-impressions'].time_zone).toBe('Europe/Berlin');
    expect(settings.normalising.null_spellings).toEqual(['', 'none']);
    expect(settings.lake.after_ingest).toBe(false);
    expect(settings.instance.currency).toBe('EUR');
  });

  it('leaves alone what the command line and Kubernetes put into the environment', () => {
    const environment = {
      ADVERTISEX_DATA: '/data',
      ADVERTISEX_SERVICE_HOST: '10.0.0.1',
      ADVERTISEX_PORT: 'tcp://10.0.0.1:1',
      ADVERTISEX_PORT_8480_TCP_ADDR: '10.0.0.1',
    };
    expect(loadSettings({ environment })).toEqual(settingsSchema.parse({}));
  });

  it('takes the contracts from beside the file, wherever the command runs', () => {
    expect(load('instance:\n  contracts: my-contracts\n').instance.contracts).toBe(join(folder, 'my-contracts'));
    expect(load(renderSettingsFile({ 'instance.contracts': 'contracts' })).instance.contracts).toBe(join(folder, 'contracts'));
    expect(load('').instance.contracts).toBeUndefined();
    expect(load('server:\n  tokens: secrets/tokens\n').server.tokens).toBe(join(folder, 'secrets/tokens'));
  });

  it('takes lists of settings: each item with its defaults, its paths from the file, and its place where it is wrong', () => {
    const yaml = 'sources:\n  folders:\n    - feed: users\n      path: in/users\n    - {feed: bid-requests, path: /srv/bids, quiet_seconds: 0, after: move}\n';
    const [users, bids] = load(yaml).sources.folders;
    expect(users).toEqual({ feed: 'users', path: join(folder, 'in/users'), quiet_seconds: 5, after: 'keep' });
    expect(bids).toEqual({ feed: 'bid-requests', path: '/srv/bids', quiet_seconds: 0, after: 'move' });
    expect(load('', { ADVERTISEX_SOURCES_FOLDERS: '[{feed: users, path: /in}]' }).sources.folders).toMatchObject([{ feed: 'users', path: '/in' }]);
    expect(problems('sources:\n  folders:\n    - feed: user\n      path: in\n    - feed: users\n      pth: in\n      delimiter: ab\n')).toEqual([
      expect.stringMatching(/^advertisex\.yaml:3: sources\.folders\.0\.feed is "user", expected ad-impressions or /),
      'advertisex.yaml:5: sources.folders.1.path is undefined, expected a folder',
      'advertisex.yaml:7: sources.folders.1.delimiter is "ab", expected one ASCII character',
      'advertisex.yaml:6: sources.folders.1.pth is not a setting. Did you mean path?',
    ]);
    expect(problems('sources:\n  folders: /in\n')).toEqual([
      'advertisex.yaml:2: sources.folders is "/in", expected a list of folders, each with its feed and its path',
    ]);
  });

  it('is frozen to the bottom', () => {
    const settings = loadSettings({ environment: {} });
    expect(() => Object.assign(settings.attribution, { match: 'user' })).toThrow(TypeError);
    expect(() => settings.normalising.null_spellings.push('x')).toThrow(TypeError);
  });

  it('names file, line, key and what was expected, for everything that is wrong at once', () => {
    expect(problems('instance:\n  currency: euro\nattribution:\n  match: campain\n  max_touches: 1.5\nlimits: 3\n')).toEqual([
      'advertisex.yaml:2: instance.currency is "euro", expected a currency code of three capital letters',
      'advertisex.yaml:4: attribution.match is "campain", expected campaign or user',
      'advertisex.yaml:5: attribution.max_touches is 1.5, expected a whole number from 1 to 10000',
      'advertisex.yaml:6: limits is 3, expected settings: record_bytes, batch_records, memory, threads, query_seconds, query_spill, workers, disk, free_disk',
    ]);
    expect(problems('instance:\n  reporting_time_zone: Mars/Olympus\n')).toEqual([
      'advertisex.yaml:2: instance.reporting_time_zone is "Mars/Olympus", expected an IANA time zone, like Europe/Berlin',
    ]);
    expect(problems('normalising:\n  null_spellings:\n    - a\n    - 7\n')).toEqual([
      'advertisex.yaml:4: normalising.null_spellings.1 is 7, expected a list of texts',
    ]);
  });

  it('suggests the nearest known key', () => {
    expect(problems('atribution:\n  match: user\nattribution:\n  halflife_seconds: 60\n  qqqqqq: 1\n')).toEqual([
      'advertisex.yaml:4: attribution.halflife_seconds is not a setting. Did you mean half_life_seconds?',
      expect.stringMatching(/^advertisex\.yaml:5: attribution\.qqqqqq is not a setting\. Known here: match, eligible, /),
      'advertisex.yaml:1: atribution is not a setting. Did you mean attribution?',
    ]);
    expect(problems('', { ADVERTISEX_INSTANCE_CURENCY: 'EUR' })).toEqual([
      'environment: ADVERTISEX_INSTANCE_CURENCY is not a setting. Did you mean ADVERTISEX_INSTANCE_CURRENCY?',
    ]);
  });

  it('names the variable where the environment is wrong', () => {
    expect(problems('', { ADVERTISEX_LIMITS_WORKERS: 'many' })).toEqual([
      'environment: ADVERTISEX_LIMITS_WORKERS is "many", expected a whole number from 1 to 64',
    ]);
  });

  it('says where YAML breaks', () => {
    expect(problems('instance:\n  currency: [USD\n')[0]).toMatch(/^advertisex\.yaml:\d: /);
    expect(problems('lake:\n  after_ingest: true\n  after_ingest: false\n')[0]).toMatch(/^advertisex\.yaml:3: Map keys must be unique/);
    expect(problems('- a\n')).toEqual(['advertisex.yaml:1: expected sections such as `instance:` with settings below them']);
  });

  it('says when the file is not there', () => {
    expect(() => loadSettings({ path: join(folder, 'none.yaml'), environment: {} })).toThrow(/none\.yaml does not exist/);
    expect(() => loadSettings({ path: folder, environment: {} })).toThrow(/cannot be read/);
  });
});

describe('the settings', () => {
  it('each have a doc line, a default or a reason for none, and a variable of their own', () => {
    expect(SETTINGS_LIST.length).toBeGreaterThan(15);
    for (const setting of SETTINGS_LIST) {
      expect(setting.description, setting.key).not.toBe('');
      if (setting.defaultValue === undefined) expect(setting.description, setting.key).toMatch(/default: /);
      expect(setting.expected, setting.key).not.toMatch(/undefined|NaN/);
    }
    expect(new Set(SETTINGS_LIST.map((setting) => setting.variable)).size).toBe(SETTINGS_LIST.length);
  });
});
