import type { CommandDefinition } from './command.ts';
import type { GlobalOptions } from './context.ts';
import type { CliHost } from './host.ts';
import { packageVersion } from './packaged-files.ts';
import { createProgram } from './program.ts';
import { renderError } from './render-error.ts';

/** Runs one command line and gives the exit code: 0 done, 1 a check found something, 2 the call is wrong, 3 it could not be done. */
export async function runCommandLine(words: readonly string[], host: CliHost): Promise<number> {
  let exitCode = 0;
  const program = createProgram(host, packageVersion(), async (definition: CommandDefinition, parameters, command) => {
    const options = command.optsWithGlobals<GlobalOptions & Readonly<Record<string, unknown>>>();
    // Settings and what reads them are not loaded for a help text.
    const { createContext } = await import('./context.ts');
    exitCode = await definition.run(createContext(host, options), parameters, options);
  });
  try {
    // Without a command there is nothing to do but to say what there is.
    await program.parseAsync(words.length === 0 ? ['--help'] : words, { from: 'user' });
    return exitCode;
  } catch (error) {
    return await renderError(host, error);
  }
}
