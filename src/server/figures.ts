import type { InstanceFigures } from '../app/instance-figures.ts';

/** What the API answers from. Whoever starts the server hands it in, and says to it what was committed. */
export type Figures = Omit<InstanceFigures, 'committed'>;
