import { AdvertiseXError } from '../domain/errors.ts';
import type { ResultTable } from '../domain/result-table.ts';
import type { Instance } from './instance.ts';

/** Runs a read-only query; `asOf`: with the tables as they were after that batch. */
export async function query(instance: Instance, sql: string, asOf?: number): Promise<ResultTable> {
  await readAsOf(instance, asOf);
  return instance.engine.query(sql);
}

/** From here on tables are read as they were after a batch; undefined: as they are. */
export async function readAsOf({ engine }: Instance, asOf: number | undefined): Promise<void> {
  if (asOf !== undefined) {
    const [last] = await engine.rows<{ batch: bigint }>('select coalesce(max(batch_id), 0) as batch from store.batches');
    if (asOf < 1 || asOf > Number(last?.batch)) {
      throw new AdvertiseXError(
        'not_found',
        `There is no batch ${asOf}: the batches are 1 to ${last?.batch}`,
        'List them with `advertisex query "select * from ops.batches"`.',
      );
    }
  }
  await engine.setVariables({ asOf: asOf ?? null });
}
