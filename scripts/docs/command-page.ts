import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import type { CommandDefinition } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import type { CliHost, CliStream } from '../../src/cli/host.ts';
import { createProgram } from '../../src/cli/program.ts';
import { MADE_BY, markdownTable } from './markdown.ts';

/** The reference of the command line, from the definitions that the program itself is made of. */
export function commandPage(): string {
  const program = createProgram(silentHost(), '0.0.0', async () => {});
  const sections = COMMANDS.map((definition) => commandSection(definition, commandOf(program, definition.name)));
  return `${MADE_BY}
# Command line

\`advertisex <command> --help\` says the same, with the values that an option can have.

Every command takes:

${options(program)}

Results go to standard output, in the format asked for and nothing else; progress and notes go to standard error. In JSON, integers past 2⁵³
are strings, and times are ISO 8601 in UTC. Colours are left out where \`NO_COLOR\` is set.

Exit codes: 0 done · 1 a check found something · 2 the call or the configuration is wrong · 3 it could not be done.
[Errors](../errors.md) lists the codes that messages end with.

${sections.join('\n')}`;
}

function commandSection({ name, summary, description, examples }: CommandDefinition, command: Command): string {
  const rows = command.registeredArguments.map((argument) => {
    const values = argument.argChoices === undefined ? '' : `: ${argument.argChoices.join(', ')}`;
    return [`\`${argument.required ? `<${argument.name()}>` : `[${argument.name()}]`}\``, argument.description + values];
  });
  const table = rows.length + command.options.length === 0 ? '' : `\n${options(command, rows)}\n`;
  return `## \`${name}\`

${summary[0]?.toUpperCase()}${summary.slice(1)}.

\`\`\`
advertisex ${name} ${command.usage()}
\`\`\`

${description}
${table}
\`\`\`
${examples.join('\n')}
\`\`\`
`;
}

function options(command: Command, before: readonly (readonly string[])[] = []): string {
  const rows = command.options.map((option) => {
    const values = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`;
    const otherwise = option.defaultValue === undefined || typeof option.defaultValue === 'object' ? '' : ` (default: ${String(option.defaultValue)})`;
    return [`\`${option.flags}\``, option.description + values + otherwise];
  });
  return markdownTable(['', ''], [...before, ...rows]);
}

function commandOf(program: Command, name: string): Command {
  return name.split(' ').reduce((parent, word) => parent.commands.find((command) => command.name() === word) as Command, program);
}

function silentHost(): CliHost {
  const stream: CliStream = { raw: new PassThrough(), width: undefined, isTerminal: false, hasColour: false, write: async () => {} };
  return {
    stdout: stream,
    stderr: stream,
    stdin: new PassThrough(),
    environment: {},
    workingDirectory: '.',
    signal: new AbortController().signal,
    clock: () => 0,
  };
}
