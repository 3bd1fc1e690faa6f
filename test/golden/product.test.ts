import { describe, expect, test } from 'vitest';
import { openDuckDbProduct } from '../properties/duckdb-product.ts';
import { expectedRows, keyNames, projectRows, type ReportRow } from './project-rows.ts';
import { chapters, readCases } from './read-cases.ts';

/** The same cases, through the product: files, each its own batch, into tables. */
for (const chapter of chapters())
  describe(chapter, () => {
    for (const golden of readCases(chapter))
      test(golden.title, async () => {
        const product = await openDuckDbProduct(golden.settings);
        try {
          for (const file of golden.received) await product.ingest([file]);
          const silver = ['silver.impressions', 'silver.clicks', 'silver.conversions', 'silver.bid_requests'];
          const names = keyNames(await Promise.all(silver.map((name) => product.table(name))));
          for (const expected of golden.expected) {
            const rows = expected.table === 'gold.campaign_report' ? await product.report() : await product.table(expected.table);
            expect(projectRows(rows as ReportRow[], expected, names), expected.table).toEqual(expectedRows(expected));
          }
        } finally {
          await product.close();
        }
      });
  });
