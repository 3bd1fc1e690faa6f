import { bringUp, isUp, takeDown } from '../../scripts/cluster/cluster.ts';

let wasUp = false;

/** Services that somebody has up already are used, and left up. */
export async function setup(): Promise<void> {
  wasUp = await isUp();
  await bringUp().catch(async (error) => {
    if (!wasUp) await takeDown();
    throw error;
  });
}

export async function teardown(): Promise<void> {
  if (!wasUp) await takeDown();
}
