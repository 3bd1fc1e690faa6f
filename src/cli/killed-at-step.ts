import { createProcessHost } from './process-host.ts';
import { runCommandLine } from './run-command-line.ts';

/**
 * Run as a process by `chaos`: the command line as it is, in a process that kills itself, as hard as there is, before the so manieth
 * step of this name. Nothing that people start leads here.
 */
const [step, occurrence, ...words] = process.argv.slice(2);
let seen = 0;
const onStep = (current: string): void => {
  if (current === step && ++seen === Number(occurrence)) process.kill(process.pid, 'SIGKILL');
};
process.exitCode = await runCommandLine(words, { ...createProcessHost(), onStep });
