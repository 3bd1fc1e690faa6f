import { fileURLToPath } from 'node:url';

/** Contracts that come with AdvertiseX: used where the settings name no folder, and what `init` copies. */
export const PACKAGED_CONTRACTS = fileURLToPath(new URL('../../contracts/', import.meta.url));
