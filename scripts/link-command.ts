/**
 * Puts the checkout's own command beside those of its dependencies, so that `npx advertisex` finds it there. Without it npx
 * installs the checkout into a cache of its own first, and builds it again.
 */
import { existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../node_modules/.bin');
const link = join(folder, 'advertisex');
// A symbolic link is no command on Windows; npx takes its longer way there.
if (existsSync(folder) && process.platform !== 'win32') {
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
  symlinkSync('../../bin/advertisex.js', link);
}
