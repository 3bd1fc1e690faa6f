import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrange, arrangement } from './arrangements.ts';
import type { Product } from './product.ts';
import { runProperty, withProduct } from './run-property.ts';
import { settings } from './settings.ts';
import { differenceFromReference } from './tables.ts';
import { traffic } from './traffic.ts';

/** What is done after a batch; in which slices; and which of the batches before are kept when others are let go. */
const housekeeping = fc.record({
  what: fc.constantFrom<'nothing' | 'fold' | 'forget'>('nothing', 'fold', 'fold', 'forget'),
  sliceRows: fc.constantFrom(1, 4, 1_000),
  kept: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
});

/**
 * The bugs this hunts: a row that is folded twice or not at all, that holds as of too many batches or too few, that another batch
 * changed meanwhile, and a figure that is read as of a batch that nothing can say it of any more.
 */
test('every table is as the reference has it, now and as of each batch that is not refused, whatever was folded and let go', () =>
  runProperty(
    fc.tuple(traffic, arrangement(['json']), settings, fc.array(housekeeping, { minLength: 4, maxLength: 4 })),
    12,
    async ([items, how, set, done]) => {
      const batches = arrange(items, how, false);
      await withProduct(set, async (product) => {
        const committed: number[] = [];
        const kept = new Set<number>();
        for (const [index, files] of batches.entries()) {
          await product.ingest(files);
          committed.push(await product.lastBatch());
          const { what, sliceRows, kept: keeping } = done[index % done.length] as (typeof done)[number];
          if (what !== 'nothing') await product.fold(sliceRows);
          if (what !== 'forget') continue;
          const before = await folded(product);
          for (const [place, batch] of committed.entries()) if (keeping[place % 4] === false || before.has(batch)) kept.delete(batch);
          for (const [place, batch] of committed.entries()) if (keeping[place % 4] && !before.has(batch)) kept.add(batch);
          await product.forget([...kept]);
        }
        const refused = await folded(product);
        expect([...kept].filter((batch) => refused.has(batch))).toEqual([]);
        expect(refused.has(committed.at(-1) as number)).toBe(false);
        expect(await product.recon()).toEqual([]);
        for (const [index, batch] of committed.entries()) {
          if (refused.has(batch)) {
            await expect(product.table('gold.campaign_hourly', batch)).rejects.toMatchObject({ code: 'batch_folded' });
            await expect(product.report(batch)).rejects.toMatchObject({ code: 'batch_folded' });
          } else expect(await differenceFromReference(product, batches.slice(0, index + 1).flat(), set, batch), `as of batch ${batch}`).toBeNull();
        }
        expect(await differenceFromReference(product, batches.flat(), set)).toBeNull();
      });
    },
  ));

/** Batches that are let go. */
async function folded(product: Product): Promise<Set<number>> {
  const batches = new Set<number>();
  for (const { first_batch, last_batch } of await product.table('ops.folds'))
    for (let batch = Number(first_batch); batch <= Number(last_batch); batch++) batches.add(batch);
  return batches;
}
