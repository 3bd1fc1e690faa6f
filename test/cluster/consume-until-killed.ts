import { setTimeout as wait } from 'node:timers/promises';
import { openInstance } from '../../src/app/instance.ts';
import { TopicSource } from '../../src/app/live/topic-source.ts';
import { laneStart } from '../../src/app/plan-ingest.ts';
import { instanceOptions } from '../faults/open-instance.ts';
import { PLAIN } from './kafka-settings.ts';

/** Run as a process: consumes a topic until it is killed; dies at a step, if one is given. */
const [data, topic, step, occurrence] = process.argv.slice(2) as [string, string, string?, string?];
let seen = 0;
const onStep = (current: string) => {
  if (current === step && ++seen === Number(occurrence)) process.kill(process.pid, 'SIGKILL');
};
const instance = await openInstance(instanceOptions(data, { onStep }));
new TopicSource(instance, {
  consumed: { feed: 'ad-impressions', topic, from: 'earliest', format: { encoding: 'json' } },
  client: PLAIN,
  firstStageRow: laneStart(1),
  monotonicMs: () => performance.now(),
  onEvent: ({ message }) => console.error(message),
  sleep: (milliseconds, signal) => wait(Math.min(milliseconds, 50), undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
}).start();
process.stdout.write('consuming\n');
