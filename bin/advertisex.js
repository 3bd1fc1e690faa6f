#!/usr/bin/env node
// Plain JavaScript that an old Node.js can read too, so that it can say what is wrong.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const program = new URL('../dist/cli/main.js', import.meta.url);

if (major < 22 || (major === 22 && minor < 19)) {
  stop(
    `AdvertiseX needs Node.js 22.19 or newer; this is ${process.versions.node}.`,
    'In a checkout, run `npx advertisex …`, which brings its own; elsewhere, install a newer Node.js.',
  );
} else if (!existsSync(program)) {
  stop('AdvertiseX is not built.', 'Run `npm run build` in the checkout (`npm ci` does it too).');
} else {
  // Compiled code is kept in the package's own folder, which only those can write to who can change the code itself; the system's folder
  // for temporary files, where Node.js would put it, is anybody's. Where it cannot be written everything is compiled at each start, as ever.
  module.enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)));
  await import(program.href);
}

function stop(message, next) {
  console.error(`Error: ${message}\nNext: ${next}`);
  process.exitCode = 2;
}
