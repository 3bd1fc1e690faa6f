import { exportLake } from '../../../src/lake/export-lake.ts';
import { twoBatches } from './rows-lake-source.ts';

/** Run as a process: exports the second batch and kills itself, as hard as there is, before step number `killAt`. */
const [lake = '', killAt = ''] = process.argv.slice(2);
const source = twoBatches();
source.batch = 2;
let steps = 0;
await exportLake(source, lake, {
  beforeStep: () => {
    if (steps++ === Number(killAt)) process.kill(process.pid, 'SIGKILL');
  },
});
