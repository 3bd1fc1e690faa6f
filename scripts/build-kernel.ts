/** Compiles the kernel of the fast lane (AssemblyScript) to WebAssembly, beside its sources. Sources are run from there in development; the build copies it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main } from 'assemblyscript/asc';

const FOLDER = join(import.meta.dirname, '../src/ingest/fast-lane');
export const KERNEL = join(FOLDER, 'kernel.wasm');
const OPTIONS = ['--runtime', 'stub', '--enable', 'simd', '--optimizeLevel', '3', '--noAssert', '--use', 'abort='];

export async function buildKernel(outFile = KERNEL): Promise<void> {
  const { error, stderr } = await main(['kernel/index.ts', '--baseDir', FOLDER, '--outFile', outFile, ...OPTIONS]);
  if (error) throw new Error(`${stderr.toString()}${error.message}`);
}

/** Whether a source is newer than what was made of it. */
export function isKernelStale(): boolean {
  if (!existsSync(KERNEL)) return true;
  const made = statSync(KERNEL).mtimeMs;
  const sources = readdirSync(join(FOLDER, 'kernel')).map((name) => join(FOLDER, 'kernel', name));
  return [...sources, join(FOLDER, 'layout.ts'), import.meta.filename].some((source) => statSync(source).mtimeMs > made);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildKernel();
