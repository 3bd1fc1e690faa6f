import { afterEach } from 'vitest';
import { requireRunning } from '../../scripts/cluster/cluster.ts';

// A service that crashed is told at the test in which it did, and not as time-outs of all that come after it.
afterEach(requireRunning);
