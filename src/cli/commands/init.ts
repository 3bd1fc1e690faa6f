import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { CommandDefinition } from '../command.ts';
import { PACKAGED_CONTRACTS } from '../packaged-files.ts';

export const init: CommandDefinition = {
  name: 'init',
  summary: 'write a commented advertisex.yaml and the contracts, ready to run',
  description:
    'Writes advertisex.yaml with every setting at its default, and the contracts of all feeds to change as you need. Files that are there already are left as they are.',
  examples: ['advertisex init', 'advertisex init acme'],
  declare: (command) => void command.argument('[dir]', 'folder to write them to', '.'),

  async run(context, [dir]) {
    const { renderSettingsFile } = await import('../../config/settings-file.ts');
    const folder = context.path(String(dir));
    const files = new Map([[join(folder, 'advertisex.yaml'), renderSettingsFile({ 'instance.contracts': 'contracts' })]]);
    for (const name of readdirSync(PACKAGED_CONTRACTS).filter((name) => name.endsWith('.yaml'))) {
      files.set(join(folder, 'contracts', name), readFileSync(join(PACKAGED_CONTRACTS, name), 'utf8'));
    }
    const rows: string[][] = [];
    for (const [path, text] of files) {
      const kept = existsSync(path);
      if (!kept) write(path, text);
      rows.push([relative(context.host.workingDirectory, path), kept ? 'kept' : 'written']);
    }
    await context.output.table({
      columns: [
        { name: 'file', kind: 'text' },
        { name: 'outcome', kind: 'text' },
      ],
      rows,
    });
    const where = relative(context.host.workingDirectory, folder);
    context.messages.note(`\nNext: ${where === '' ? '' : `cd ${where} && `}advertisex ingest ad-impressions PATH…   (or: advertisex generate traffic)`);
    return 0;
  },
};

function write(path: string, text: string): void {
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    // 'wx': a file that another process made since is kept too.
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    throw new AdvertiseXError(
      'data_unusable',
      `${path} cannot be written: ${(error as Error).message}`,
      'Give `advertisex init` a folder that you may write to.',
      error,
    );
  }
}
