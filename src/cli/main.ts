import { createProcessHost } from './process-host.ts';
import { runCommandLine } from './run-command-line.ts';

// Set, not exit(): what is still on its way to a slow pipe must get there.
process.exitCode = await runCommandLine(process.argv.slice(2), createProcessHost());
