/** `npm run cluster:down`: stops what `npm run cluster:up` started. */
import { takeDown } from './cluster.ts';

const stopped = await takeDown();
console.log(stopped.length === 0 ? 'No service was running.' : `Stopped: ${stopped.join(', ')}.`);
