import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrange, arrangement } from './arrangements.ts';
import { compareTables, PROVENANCE } from './compare-tables.ts';
import { runProperty, withProduct } from './run-property.ts';
import { settings } from './settings.ts';
import { brokenSums } from './sums.ts';
import { derivedTables, differenceFromReference, productTables, referenceTables } from './tables.ts';
import { traffic } from './traffic.ts';
import { withoutConflicts } from './without-conflicts.ts';

const anyArrangement = arrangement(['json', 'csv', 'avro']);

describe('whatever comes in', () => {
  test('every table is as the reference has it, and the sums agree with each other', () =>
    runProperty(fc.tuple(traffic, anyArrangement, settings), 15, async ([items, how, set]) => {
      const batches = arrange(items, how, false);
      await withProduct(set, async (product) => {
        for (const files of batches) await product.ingest(files);
        const tables = await productTables(product);
        expect(brokenSums(tables)).toEqual([]);
        expect(await product.recon()).toEqual([]);
        expect(await differenceFromReference(product, batches.flat(), set)).toBeNull();
      });
    }));

  test('the tables are the same for every order, split, repetition and interleaving of the same records', () =>
    runProperty(fc.tuple(traffic, anyArrangement, anyArrangement, settings), 10, async ([items, one, other, set]) => {
      const records = withoutConflicts(items);
      const expected = referenceTables(arrange(records, { ...one, repeats: [] }, true).flat(), set, derivedTables);
      await withProduct(set, async (product) => {
        for (const files of arrange(records, other, true)) await product.ingest(files);
        expect(compareTables(expected, await productTables(product, derivedTables), PROVENANCE)).toBeNull();
      });
    }));

  test('records that are received again change nothing', () =>
    runProperty(fc.tuple(traffic, anyArrangement, anyArrangement, settings), 6, async ([items, one, other, set]) => {
      const records = withoutConflicts(items);
      const batches = arrange(records, one, true);
      await withProduct(set, async (product) => {
        for (const files of batches) await product.ingest(files);
        const before = await productTables(product);
        const accepted = before['ops.outcomes']!.reduce((sum, row) => sum + (row['accepted'] as bigint), 0n);

        for (const files of batches) await product.ingest(files.map((file) => ({ ...file, source: `again-${file.source}` })));
        expect(compareTables(before, await productTables(product)), 'the same files').toBeNull();

        for (const files of arrange(records, other, true)) await product.ingest(files.map((file) => ({ ...file, source: `other-${file.source}` })));
        const after = await productTables(product);
        expect(compareTables(Object.fromEntries(Object.entries(before).filter(([name]) => derivedTables(name))), after), 'other files').toBeNull();
        expect(after['ops.outcomes']!.reduce((sum, row) => sum + (row['accepted'] as bigint), 0n)).toBe(accepted);
      });
    }));

  test('every earlier state can be read as of its batch', () =>
    runProperty(fc.tuple(traffic, anyArrangement, settings), 6, async ([items, how, set]) => {
      const batches = arrange(items, how, false);
      await withProduct(set, async (product) => {
        const lastBatches: number[] = [];
        for (const files of batches) {
          await product.ingest(files);
          lastBatches.push(await product.lastBatch());
        }
        for (const [i, batch] of lastBatches.entries()) {
          expect(await differenceFromReference(product, batches.slice(0, i + 1).flat(), set, batch), `as of batch ${batch}`).toBeNull();
        }
      });
    }));

  test('what was built up batch by batch is what is built at once', () =>
    runProperty(fc.tuple(traffic, anyArrangement, settings, settings), 6, async ([items, how, set, other]) => {
      const batches = arrange(items, how, false);
      // The currency and the reporting time zone of data are never changed.
      const later = { ...other, instance: set.instance };
      await withProduct(set, async (product) => {
        for (const files of batches) await product.ingest(files);
        expect(await product.rebuild(), 'rows restated by a rebuild that nothing asks for').toBe(0);
        expect(await differenceFromReference(product, batches.flat(), set)).toBeNull();
        await product.rebuild(later);
        expect(await differenceFromReference(product, batches.flat(), later), 'by other settings').toBeNull();
        expect(await product.recon()).toEqual([]);
      });
    }));

  test('records that wait in quarantine for a rate come in by a replay, once', () =>
    runProperty(fc.tuple(traffic, anyArrangement, settings), 6, async ([items, how, set]) => {
      const records = withoutConflicts(items);
      const [rates, others] = [records.filter(({ feed }) => feed === 'currency-rates'), records.filter(({ feed }) => feed !== 'currency-rates')];
      const expected = referenceTables(arrange(records, { ...how, repeats: [] }, true).flat(), set, derivedTables);
      await withProduct(set, async (product) => {
        for (const files of [...arrange(others, how, false), ...arrange(rates, how, false)]) await product.ingest(files);
        await product.replay();
        expect(compareTables(expected, await productTables(product, derivedTables), PROVENANCE)).toBeNull();
        const once = await productTables(product);
        await product.replay();
        expect(compareTables(once, await productTables(product)), 'a second replay').toBeNull();
        expect(await product.recon()).toEqual([]);
      });
    }));
});
