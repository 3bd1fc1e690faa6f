import { describe, expect, test } from 'vitest';
import { reference } from '../reference/reference.ts';
import { expectedRows, keyNames, projectRows, type ReportRow } from './project-rows.ts';
import { chapters, readCases } from './read-cases.ts';

/** The reference is only as good as these: every result in the cases was worked out by hand. */
for (const chapter of chapters())
  describe(chapter, () => {
    for (const golden of readCases(chapter))
      test(golden.title, () => {
        const { tables, report } = reference(golden.received, golden.settings);
        const names = keyNames([tables['silver.impressions'], tables['silver.clicks'], tables['silver.conversions'], tables['silver.bid_requests']]);
        for (const expected of golden.expected) {
          const rows = expected.table === 'gold.campaign_report' ? report : tables[expected.table as keyof typeof tables];
          expect(projectRows(rows as unknown as ReportRow[], expected, names), expected.table).toEqual(expectedRows(expected));
        }
      });
  });
