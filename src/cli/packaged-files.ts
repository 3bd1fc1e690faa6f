import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Contracts that come with AdvertiseX: used where the settings name no folder, and what `init` copies. */
export const PACKAGED_CONTRACTS = fileURLToPath(new URL('../../contracts/', import.meta.url));

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return version;
}
