import type { Settings } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { Slots } from '../../engines/remote/slots.ts';
import type { Instance } from '../instance.ts';
import { ObjectStores } from '../object-stores.ts';
import { laneStart, MORE_LANES } from '../plan-ingest.ts';
import { BucketFolder, type WatchedBucket } from './bucket-folder.ts';
import type { TopicsToConsume } from './consumed-topics.ts';
import { FolderSource } from './folder-source.ts';
import type { LivePipeline } from './live-pipeline.ts';
import type { LiveSource, Sleep, SourceEvent, SourceStatus } from './live-source.ts';
import { LocalFolder, type WatchedFolder } from './local-folder.ts';
import { OwnerWork } from './owner-work.ts';
import { type PipeOptions, PipeSource } from './pipe-source.ts';
import type { ConsumedTopic } from './topic-session.ts';
import { type TopicFigures, TopicSource } from './topic-source.ts';
import type { WatchedPlace } from './watched-place.ts';

/** Of files beside live traffic: what comes live waits for such a batch at most. */
export const BATCH_RECORDS_BESIDE_LIVE = 20_000;
/** A folder with a large file does not keep another one waiting. */
const FOLDERS_AT_ONCE = 2;

export interface SourcesOptions {
  readonly live: LivePipeline;
  readonly folders: readonly WatchedFolder[];
  readonly topics?: TopicsToConsume;
  readonly buckets?: readonly WatchedBucket[];
  readonly pipe?: Pick<PipeOptions, 'feed' | 'encoding' | 'delimiter' | 'input'>;
  readonly onEvent: (event: SourceEvent) => void;
  readonly sleep: Sleep;
  readonly monotonicMs: () => number;
}

/** Everything that brings records to a running instance. */
export class LiveSources {
  readonly pipe: PipeSource | undefined;
  private readonly topics: readonly TopicSource[];
  private readonly closeTopics: () => void;
  private readonly live: LivePipeline;
  private readonly stores: ObjectStores;
  /** The collector is not among them: they take no more before it does. */
  private readonly sources: readonly LiveSource[];

  constructor(instance: Instance, { live, folders, buckets = [], topics, pipe, onEvent, sleep, monotonicMs }: SourcesOptions) {
    this.stores = new ObjectStores(instance.settings.s3);
    const places = [...folders.map((folder) => new LocalFolder(folder)), ...buckets.map((bucket) => new BucketFolder(bucket, this.stores))];
    requireApart(places, topics?.consumed ?? []);
    this.live = live;
    const turns = new Slots(FOLDERS_AT_ONCE);
    this.pipe = pipe === undefined ? undefined : new PipeSource(instance, { ...pipe, collector: live, onEvent, sleep });
    this.closeTopics = topics?.close ?? (() => undefined);
    this.topics = (topics?.consumed ?? []).map(
      (consumed, index) =>
        new TopicSource(instance, {
          consumed,
          client: (topics as TopicsToConsume).client,
          firstStageRow: laneStart(folders.length + index + 1),
          onEvent,
          sleep,
          monotonicMs,
        }),
    );
    this.sources = [
      ...this.topics,
      ...(this.pipe === undefined ? [] : [this.pipe]),
      ...places.map(
        (place, index) => new FolderSource(instance, { place, lane: index + 1, batchRecords: BATCH_RECORDS_BESIDE_LIVE, turns, onEvent, sleep, monotonicMs }),
      ),
      new OwnerWork(instance, BATCH_RECORDS_BESIDE_LIVE, () => this.status()),
    ];
  }

  start(): void {
    for (const source of this.sources) source.start();
  }

  async stop(): Promise<void> {
    this.closeTopics();
    await Promise.all(this.sources.map((source) => source.stop()));
    await this.stores.close();
  }

  status(): readonly SourceStatus[] {
    return [this.live.status(), ...this.sources.map((source) => source.status())];
  }

  topicFigures(): readonly TopicFigures[] {
    return this.topics.map((topic) => topic.figures());
  }
}

export function watchedFolders({ folders }: Settings['sources']): WatchedFolder[] {
  return folders.map(({ feed, path, encoding, delimiter, pattern, quiet_seconds, after }) => ({
    feed,
    path,
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(pattern === undefined ? {} : { pattern }),
    quietSeconds: quiet_seconds,
    after,
  }));
}

export function watchedBuckets({ buckets }: Settings['sources']): WatchedBucket[] {
  return buckets.map(({ feed, bucket, prefix, encoding, delimiter, pattern, every_seconds }) => ({
    feed,
    bucket,
    prefix,
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(pattern === undefined ? {} : { pattern }),
    everySeconds: every_seconds,
  }));
}

/** The same folder twice would be taken by whoever comes first, the same topic twice would be taken twice; and each has a lane. */
function requireApart(places: readonly WatchedPlace[], topics: readonly ConsumedTopic[]): void {
  if (places.length + topics.length > MORE_LANES) {
    throw new AdvertiseXError(
      'config_invalid',
      `${places.length} folders and ${topics.length} topics are taken from, and ${MORE_LANES} together can be`,
      'Watch a folder that several of them are in.',
    );
  }
  const twice = topics.find(({ topic }, index) => topics.findIndex((other) => other.topic === topic) < index);
  if (twice !== undefined) throw new AdvertiseXError('config_invalid', `The topic ${twice.topic} is consumed twice`, 'Name it once in sources.topics.');
  const seen = new Set<string>();
  for (const { name } of places) {
    if (seen.has(name)) {
      throw new AdvertiseXError(
        'config_invalid',
        `The folder ${name} is watched twice`,
        'Name it once, or give each time another pattern (sources.folders, sources.buckets).',
      );
    }
    seen.add(name);
  }
}
