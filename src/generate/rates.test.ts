import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planTraffic } from './options.ts';
import { RATES, type RateName } from './rates.ts';

describe('the guide', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/generate.md'), 'utf8');
  const rows = [...guide.matchAll(/^\| `(\w+)` \| ([\d.]+)(?: \(0 to ([\d.]+)\))? \|/gm)].map(([, name, value, maximum]) => [
    name,
    Number(value),
    Number(maximum ?? 1),
  ]);

  it('lists every rate with its default and its bounds, in their order', () => {
    const { rates } = planTraffic({ directory: 'x', seed: 1, startDate: '2025-10-20', events: 1000 });
    expect(rows).toEqual((Object.keys(RATES) as RateName[]).map((name) => [name, rates[name], RATES[name].maximum]));
  });
});
