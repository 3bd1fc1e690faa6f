/**
 * Compiles src to dist, then removes what no source stands behind any more. In this order, and not from an emptied dist:
 * a running process may still load a module, or start a worker, from there.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildKernel, isKernelStale, KERNEL } from './build-kernel.ts';

const root = join(import.meta.dirname, '..');
const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
process.exitCode = compiled.status ?? 1;

const dist = join(root, 'dist');
if (isKernelStale()) await buildKernel();
copyFileSync(KERNEL, join(dist, relative(join(root, 'src'), KERNEL)));

for (const entry of existsSync(dist) ? readdirSync(dist, { recursive: true, withFileTypes: true }) : []) {
  if (!entry.isFile()) continue;
  const output = join(entry.parentPath, entry.name);
  const source = join(root, 'src', relative(dist, output)).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
  if (!existsSync(source)) rmSync(output);
}
