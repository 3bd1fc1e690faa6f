import { SETTINGS } from '../batches/store-tables.ts';
import type { Settings } from '../config/settings.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Engine } from '../engines/engine.ts';

/** What the stored figures were derived with. Some of it can be changed by a rebuild, some of it never. */
const NEVER_CHANGED = ['instance.currency', 'instance.reporting_time_zone'] as const;

/** The settings that models read, as the macros they call. */
export function settingMacros(settings: Settings): Readonly<Record<string, bigint | boolean>> {
  const micros = (seconds: number) => BigInt(seconds) * 1_000_000n;
  return {
    double_click_us: micros(settings.invalid_traffic.double_click_seconds),
    click_flood_per_day: BigInt(settings.invalid_traffic.click_flood_per_day),
    click_to_impression_us: micros(settings.correlation.click_to_impression_seconds),
    match_by_campaign: settings.attribution.match === 'campaign',
    click_preferred: settings.attribution.eligible === 'click_preferred',
    click_window_us: micros(settings.attribution.click_window_seconds),
    impression_window_us: micros(settings.attribution.impression_window_seconds),
    half_life_us: micros(settings.attribution.half_life_seconds),
    max_touches: BigInt(settings.attribution.max_touches),
  };
}

/** Refuses to add to figures that were derived with other settings: a table would then mean two things. */
export async function requireSameSettings(engine: Engine, settings: Settings, allow: 'nothing' | 'model-changes'): Promise<void> {
  const current = describeSettings(settings);
  const stored = new Map((await engine.rows<{ name: string; value: string }>('select name, value from store.settings')).map((row) => [row.name, row.value]));
  if (![...stored.keys()].some((name) => name !== 'layout')) return storeSettings(engine, settings);
  for (const [name, value] of current) {
    const before = stored.get(name);
    if (before === undefined || before === value) continue;
    if ((NEVER_CHANGED as readonly string[]).includes(name)) {
      throw new AdvertiseXError(
        'data_version',
        `${name} is ${value} in the configuration, but this data was made with ${before}`,
        `Set ${name} to ${before}, or ingest into a new data directory.`,
      );
    }
    if (allow === 'nothing') {
      throw new AdvertiseXError(
        'data_version',
        `${name} is ${value} in the configuration, but the figures were made with ${before}`,
        'Run `advertisex rebuild`: it restates the figures by the new setting and keeps the old ones for --as-of.',
      );
    }
  }
}

export async function storeSettings(engine: Engine, settings: Settings): Promise<void> {
  await engine.run("delete from store.settings where name <> 'layout'");
  await engine.insert(
    SETTINGS,
    [...describeSettings(settings)].map(([name, value]) => ({ name, value })),
  );
}

function describeSettings(settings: Settings): Map<string, string> {
  const described = new Map<string, string>([
    ['instance.currency', settings.instance.currency],
    ['instance.reporting_time_zone', settings.instance.reporting_time_zone],
  ]);
  for (const section of ['invalid_traffic', 'correlation', 'attribution'] as const) {
    for (const [name, value] of Object.entries(settings[section])) described.set(`${section}.${name}`, String(value));
  }
  return described;
}
