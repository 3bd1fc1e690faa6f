import type { InstanceFigures } from '../app/instance-figures.ts';

/** What the API answers from. Whoever starts the server hands it in. */
export type Figures = Pick<InstanceFigures, keyof InstanceFigures>;
