import { join } from 'node:path';
import { MICROS_PER_DAY } from '../diurnal-curve.ts';
import { spellMoney } from '../records/money-text.ts';
import { csvCell } from '../records/response-record.ts';
import { spellTime } from '../records/time-forms.ts';
import type { World } from '../simulation/world.ts';
import { OutputFile, type WrittenFile } from './output-file.ts';
import { PlainContainer } from './record-containers.ts';

const LINES_BETWEEN_WAITS = 20_000;

/** Writes the reference data that the traffic is resolved, priced and named with. */
export async function writeReferenceFiles(directory: string, world: World): Promise<WrittenFile[]> {
  const written: WrittenFile[] = [];
  for (const [feed, header, rows] of [
    ['campaigns', 'campaign_id,name,pricing_model,rate,budget,currency,start,end', campaignRows(world)],
    ['creatives', 'creative_id,campaign_id,name,format,valid_from', creativeRows(world)],
    ['users', 'user_id,age,gender,location,segment', userRows(world)],
    ['currency-rates', 'rate_date,currency,rate', currencyRows(world)],
  ] as const) {
    written.push(await writeCsv(directory, `reference/${feed}.csv`, header, rows));
  }
  return written;
}

async function writeCsv(directory: string, path: string, header: string, rows: Iterable<readonly string[]>): Promise<WrittenFile> {
  const output = new OutputFile(join(directory, path), 'none');
  const container = new PlainContainer(output, `${header}\n`);
  let records = 0;
  try {
    for (const row of rows) {
      const line = Buffer.from(`${row.map(csvCell).join(',')}\n`);
      container.append(line, 0, line.length);
      if (++records % LINES_BETWEEN_WAITS === 0) await output.drained();
    }
    container.finish();
    return { path, records, ...(await output.close()) };
  } catch (failure) {
    output.abort();
    throw failure;
  }
}

function* campaignRows({ campaigns, plan, endMicros }: World): Generator<string[]> {
  const start = dateOf(plan.startMicros - 14 * MICROS_PER_DAY);
  const end = dateOf(endMicros + 14 * MICROS_PER_DAY);
  for (const { id, name, pricing, rateMicros, budgetMicros } of campaigns.all) {
    yield [id, name, pricing, spellMoney(rateMicros), spellMoney(budgetMicros), plan.currency, start, end];
  }
}

function* creativeRows({ campaigns }: World): Generator<string[]> {
  for (const { creatives, id: campaign } of campaigns.all) {
    for (const { id, name, format, movesAtMicros, movesTo } of creatives) {
      yield [id, campaign, name, format, ''];
      if (movesAtMicros !== Number.POSITIVE_INFINITY) yield [id, campaigns.all[movesTo]!.id, name, format, spellTime('seconds', movesAtMicros)];
    }
  }
}

/** Most people have a profile, half of the strangers, no bot. */
function* userRows({ audience }: World): Generator<string[]> {
  for (let user = 0; user < audience.people + audience.strangers; user++) {
    if (audience.isStranger(user) ? user % 2 === 0 : user % 12 === 11) continue;
    yield [audience.id(user), audience.age(user), audience.gender(user), audience.place(user).location, audience.segment(user)];
  }
}

function* currencyRows({ currencies, plan }: World): Generator<string[]> {
  for (let day = 0; day < plan.days + plan.tailDays; day++) {
    for (const [index, code] of currencies.codes.entries()) {
      yield [dateOf(plan.startMicros + day * MICROS_PER_DAY), code, spellMoney(currencies.rateE9(index, day) / 1000)];
    }
  }
}

function dateOf(micros: number): string {
  return new Date(micros / 1000).toISOString().slice(0, 10);
}
