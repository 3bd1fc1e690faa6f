import { buildKernel, isKernelStale } from '../scripts/build-kernel.ts';

/** Tests run the sources: the kernel must be what its own say. */
export async function setup(): Promise<void> {
  if (isKernelStale()) await buildKernel();
}
