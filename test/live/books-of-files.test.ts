import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { takenFiles } from '../../src/app/plan-ingest.ts';
import { withInstance } from '../faults/open-instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-books-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('the books of files say what they said last, and only those of the lengths that are asked for are told apart for it', async () => {
  const path = join(folder, 'users.csv');
  writeFileSync(path, 'user_id\nann\nbea\n');
  await withInstance(join(folder, 'data'), {}, async (instance) => {
    await ingestFiles(instance, [{ feed: 'users', paths: [path] }]);
    await instance.engine.run('insert into store.files select * replace (batch_id - 1 as batch_id, false as done, 1 as records) from store.files');
    await instance.engine.run("insert into store.files select files.* replace ('f' || i as sha256, 1000 + i as bytes) from store.files, range(5000) copies(i)");
    let plan: string | undefined;
    const engine = {
      rows: async (sql: string) => {
        const [row] = await instance.engine.rows(`explain (analyze, format json) ${sql}`);
        plan = String(row?.['explain_value']);
        return instance.engine.rows(sql);
      },
    };
    const { size: bytes, mtimeMs: modifiedMs } = statSync(path);
    const found = [{ file: { path, bytes, modifiedMs }, request: { feed: 'users' as const, paths: [path] } }];
    const taken = await takenFiles({ engine, batches: instance.batches } as unknown as Instance, found);
    expect([...taken.values()]).toMatchObject([{ path, done: true, outcomes: { received: 2, accepted: 2 } }]);
    // Rows that one part of the plan handed to another.
    expect(JSON.parse(plan as string).cumulative_cardinality).toBeLessThan(100);
  });
});
