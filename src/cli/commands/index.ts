import type { CommandDefinition } from '../command.ts';
import { chaos } from './chaos.ts';
import { compact } from './compact.ts';
import { contractCheck, contractDiff } from './contract.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { expire } from './expire.ts';
import { explain } from './explain.ts';
import { generate } from './generate.ts';
import { ingest } from './ingest.ts';
import { init } from './init.ts';
import { lakeCompact, lakeExport } from './lake.ts';
import { produce } from './produce.ts';
import { quarantineList, quarantineReplay, quarantineShow } from './quarantine.ts';
import { query } from './query.ts';
import { rebuild } from './rebuild.ts';
import { recon } from './recon.ts';
import { report } from './report.ts';
import { status } from './status.ts';
import { up } from './up.ts';

/** In the order of the help. */
export const COMMANDS: readonly CommandDefinition[] = [
  demo,
  init,
  generate,
  ingest,
  produce,
  up,
  report,
  query,
  recon,
  explain,
  status,
  quarantineList,
  quarantineShow,
  quarantineReplay,
  contractCheck,
  contractDiff,
  lakeExport,
  lakeCompact,
  compact,
  rebuild,
  expire,
  doctor,
  chaos,
];

/** Commands that stand in front of others: `quarantine list`. */
export const GROUPS: Readonly<Record<string, string>> = {
  quarantine: 'records that broke their contract: list, show, replay',
  contract: 'contracts of the feeds: check, diff',
  lake: 'the Parquet files that other engines read: export, compact',
};
