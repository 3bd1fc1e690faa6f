import { CommanderError } from 'commander';
import { AdvertiseXError } from '../domain/errors.ts';
import type { CliHost } from './host.ts';
import { colour } from './messages.ts';

/** What happened has been told already, in a form of its own. */
export class ToldError extends Error {
  readonly exitCode: number;

  constructor(cause: unknown) {
    super('told', { cause });
    this.exitCode = cause instanceof AdvertiseXError ? cause.exitCode : 3;
  }
}

/** Says what happened, what to do next, and the code to look it up by; gives the exit code. */
export async function renderError(host: CliHost, error: unknown): Promise<number> {
  // Help and version end the parse too; commander has written what there is to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof ToldError) return error.exitCode;
  const { stderr } = host;
  const label = (text: string): string => colour(stderr.hasColour, ['bold', 'red'], text);
  if (error instanceof AdvertiseXError) {
    const message = error.message.includes('\n') ? `\n${error.message.replace(/^/gm, '  ')}` : ` ${error.message}`;
    await stderr.write(`${label('Error:')}${message}\n${colour(stderr.hasColour, 'bold', 'Next:')} ${error.remedy} [${error.code}]\n`);
    return error.exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  await stderr.write(`${label('Unexpected error:')} ${detail}\n`);
  await stderr.write(`${colour(stderr.hasColour, 'bold', 'Next:')} This is a defect. Run \`advertisex doctor\`, and report it with the lines above.\n`);
  return 3;
}
