import { Command, Option } from 'commander';
import type { CommandDefinition } from './command.ts';
import { COMMANDS, GROUPS } from './commands/index.ts';
import type { CliHost } from './host.ts';
import { colour } from './messages.ts';
import { OUTPUT_FORMATS } from './output/output.ts';

/** Runs one command; a test that only parses hands in another one. */
export type RunCommand = (definition: CommandDefinition, parameters: readonly unknown[], command: Command) => Promise<void>;

/** The program with all its commands. Throws CommanderError where commander would end the process. */
export function createProgram(host: CliHost, version: string, run: RunCommand): Command {
  const program = new Command('advertisex')
    .description('Ad impressions, clicks, conversions and bid requests in; campaign figures that can be proved out.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addOption(new Option('--data <dir>', 'folder of the instance (ADVERTISEX_DATA; default: advertisex-data)'))
    .addOption(new Option('--config <file>', 'settings (ADVERTISEX_CONFIG; default: advertisex.yaml where there is one)'))
    .addOption(new Option('--format <format>', 'of what goes to standard output').choices(OUTPUT_FORMATS).default('table'))
    .addOption(new Option('--quiet', 'no progress and no notes on standard error'))
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      getOutHelpWidth: () => helpWidth(host.stdout.width),
      getErrHelpWidth: () => helpWidth(host.stderr.width),
      getOutHasColors: () => host.stdout.hasColour,
      getErrHasColors: () => host.stderr.hasColour,
      outputError: (text, write) => {
        write(text.replace(/^error: (.)/, (_match, first: string) => `${colour(host.stderr.hasColour, ['bold', 'red'], 'Error:')} ${first.toUpperCase()}`));
      },
    })
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => colour(host.stdout.hasColour, 'bold', title) });
  const groups = new Map<string, Command>();
  for (const definition of COMMANDS) {
    const [first = '', second] = definition.name.split(' ');
    let parent = program;
    if (second !== undefined) {
      parent =
        groups.get(first) ??
        program
          .command(first)
          .summary(GROUPS[first] ?? '')
          .description(GROUPS[first] ?? '');
      groups.set(first, parent);
    }
    addCommand(parent, second ?? first, definition, run);
  }
  program.addHelpText('after', '\nStart with `advertisex demo`, or with `advertisex init` and `advertisex ingest`.');
  return program;
}

function addCommand(parent: Command, name: string, definition: CommandDefinition, run: RunCommand): void {
  const command = parent.command(name).summary(definition.summary).description(definition.description);
  definition.declare?.(command);
  command.addHelpText(
    'after',
    `\n${definition.examples.length > 1 ? 'Examples' : 'Example'}:\n${definition.examples.map((example) => `  ${example}`).join('\n')}`,
  );
  command.action(() => run(definition, command.processedArgs, command));
  command.showHelpAfterError(`See \`advertisex ${definition.name} --help\`.`);
}

function helpWidth(columns: number | undefined): number {
  return Math.min(columns ?? 80, 100);
}
