import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Option } from 'commander';
import type { Instance } from '../../app/instance.ts';
import type { Housekeeping } from '../../app/live/housekeeping.ts';
import type { LivePipeline } from '../../app/live/live-pipeline.ts';
import type { LiveSources } from '../../app/live/open-sources.ts';
import type { Telemetry } from '../../app/telemetry/telemetry.ts';
import type { Settings } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { ENCODINGS, type Encoding, FEEDS, type Feed } from '../../domain/feeds.ts';
import { isObjectUrl, objectUrl, parseObjectUrl } from '../../domain/object-location.ts';
import type { ServerOptions } from '../../server/server.ts';
import { Closing } from '../closing.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseDelimiter, parsePort, parseWatched, type WatchedFeed } from '../option-values.ts';
import { packageVersion } from '../packaged-files.ts';
import { ToldError } from '../render-error.ts';
import { loadInstanceContracts } from '../with-instance.ts';

export const up: CommandDefinition = {
  name: 'up',
  summary: 'take records all the time, over HTTP, from folders and from a pipe, keep the figures up to date, and answer with them',
  description:
    'Takes records over HTTP (POST /v1/events/<feed>: JSON, NDJSON, CSV or Avro, plain, gzip or zstd), files of watched folders as they are complete, and records that are piped in, and answers with figures (GET /v1/reports/campaigns, POST /v1/query; GET /openapi.json has the rest) until it is stopped. An answer of 2xx means that records are on disk; they are in the tables a moment later. Meanwhile it does what other commands (`ingest`, `quarantine replay`, `lake export`) ask for. Now and then it writes the lake, folds sums and removes what is older than it is kept. Stopped by Ctrl-C or SIGTERM it commits what it took, and writes the lake; killed, it does so when it starts again.',
  examples: [
    'advertisex up',
    'advertisex up --port 8080 --data /srv/advertisex',
    'advertisex up --log json',
    'advertisex up --watch clicks-conversions=/srv/in/clicks --watch bid-requests=/srv/in/bids',
    'tail -F impressions.jsonl | advertisex up --stdin ad-impressions',
  ],
  declare: (command) => {
    command.option('--host <address>', 'to listen on; other than loopback it needs tokens (server.tokens)');
    command.addOption(new Option('--port <number>', 'to listen on; 0: any that is free').argParser(parsePort));
    command.addOption(new Option('--log <format>', 'of what it says on standard error (log.format)').choices(['text', 'json']));
    command.addOption(
      new Option(
        '--watch <feed=dir>',
        'take the files that come into this folder, or into s3://bucket/prefix, beside those of sources.folders and sources.buckets; may be given again',
      ).argParser(parseWatched),
    );
    command.addOption(new Option('--stdin <feed>', 'take records of this feed from standard input, as they come').choices(FEEDS));
    command.addOption(new Option('--encoding <encoding>', 'of standard input (default: told from its first bytes)').choices(ENCODINGS));
    command.option('--delimiter <character>', 'between the cells of CSV on standard input (default: ,)', parseDelimiter);
    command.option('--until-end', 'stop once standard input has ended, with all of it committed');
  },

  run: async (context, _parameters, options): Promise<ExitCode> => {
    const settings = context.settings();
    const server = {
      ...settings.server,
      ...(options.host === undefined ? {} : { host: String(options.host) }),
      ...(options.port === undefined ? {} : { port: options.port as number }),
    };
    const input: Input = {
      watched: (options.watch ?? []) as readonly WatchedFeed[],
      pipe: pipeOf(context, options),
      untilEnd: options.untilEnd === true,
    };
    const telemetry = await openTelemetry(context, { ...settings.log, ...(options.log === undefined ? {} : { format: options.log as LogFormat }) });
    try {
      await serve(context, telemetry, server, input);
      return 0;
    } catch (error) {
      throw telemetry.tellFailure(error) ? new ToldError(error) : error;
    }
  },
};

/** Until it is stopped. */
async function serve(context: CommandContext, telemetry: Telemetry, server: Settings['server'], input: Input): Promise<void> {
  const closing = new Closing();
  await closing.after(async () => {
    const http = await start(context, telemetry, { server, input, closing });
    telemetry.log({
      level: 'info',
      event: 'started',
      message: `Taking records at ${http.url}/v1/events/<feed>; figures at ${http.url}/v1/reports/campaigns. Ctrl-C stops.`,
      fields: { url: http.url },
    });
    await Promise.race([untilStopped(context.signal), http.pipeEnded]);
    telemetry.log({ level: 'info', event: 'stopping', message: 'Stopping: what was taken is committed first.' });
  });
  telemetry.log({ level: 'debug', event: 'stopped', message: 'Stopped.' });
}

interface StartOptions {
  readonly server: Settings['server'];
  readonly input: Input;
  /** Given what has to be closed of what is started, also where the rest does not start. */
  readonly closing: Closing;
}

interface Started {
  readonly url: string;
  /** Never, where the process is to go on after the pipe. */
  readonly pipeEnded: Promise<unknown>;
}

async function start(context: CommandContext, telemetry: Telemetry, { server, input, closing }: StartOptions): Promise<Started> {
  const settings = context.settings();
  const [{ openInstance }, { InstanceFigures }, { createServer }, { openLive }, { watchDisk }, { exportInstanceLake }] = await Promise.all([
    import('../../app/instance.ts'),
    import('../../app/instance-figures.ts'),
    import('../../server/server.ts'),
    import('../../app/live/open-live.ts'),
    import('../../app/live/watch-disk.ts'),
    import('../../app/write-lake.ts'),
  ]);
  const security = await readSecurity(server);
  const instance = await openInstance({
    dataDirectory: context.dataDirectory,
    settings,
    contracts: await loadInstanceContracts(context),
    access: 'write',
    command: 'up',
    worksForOthers: true,
    takesRequests: true,
    // It is stopped in order, not where it stands: no signal.
    nowMicros: context.host.clock,
    onStep: (step) => {
      telemetry.onStep(step);
      context.host.onStep?.(step);
    },
  });
  closing.add(() => instance.close());
  instance.batches.onCommitted(telemetry.onCommitted);
  const disk = await watchDisk(instance, telemetry.onDisk);
  closing.add(() => disk.stop());
  closing.add(() => (settings.lake.after_ingest ? exportInstanceLake(instance) : undefined));
  const figures = await InstanceFigures.open(instance);
  const { onLiveEvent: onEvent, onDamage } = telemetry;
  const live = await openLive(instance, { onEvent, onDamage, room: () => disk.budget.trouble, newMarker: () => randomBytes(8), sleep });
  closing.add(() => live.stop());
  const sources = await openSources(context, instance, live, telemetry, input);
  closing.add(() => sources.stop());
  const housekeeping = await startHousekeeping(instance, telemetry);
  closing.add(() => Promise.all(housekeeping.map((jobs) => jobs.stop())));
  const http = await createServer({ ...(await serverOptions(context, live, telemetry, server)), ...security, figures });
  closing.add(() => http.close());
  closing.add(() => telemetry.stopWatching());
  await telemetry.watch({ instance, live, disk: disk.budget, sources, server: http });
  sources.start();
  return { url: http.url, pipeEnded: input.untilEnd && sources.pipe !== undefined ? sources.pipe.ended : new Promise(() => undefined) };
}

type Pipe = Pick<import('../../app/live/pipe-source.ts').PipeOptions, 'feed' | 'encoding' | 'delimiter' | 'input'>;

/** Where records come from beside HTTP, and beside what the settings say. */
interface Input {
  readonly watched: readonly WatchedFeed[];
  readonly pipe: Pipe | undefined;
  readonly untilEnd: boolean;
}

function pipeOf({ host }: CommandContext, { stdin, encoding, delimiter, untilEnd }: Readonly<Record<string, unknown>>): Pipe | undefined {
  if (stdin !== undefined) {
    return {
      feed: stdin as Feed,
      input: host.stdin,
      ...(encoding === undefined ? {} : { encoding: encoding as Encoding }),
      ...(delimiter === undefined ? {} : { delimiter: String(delimiter) }),
    };
  }
  const option = encoding !== undefined ? '--encoding' : delimiter !== undefined ? '--delimiter' : untilEnd === true ? '--until-end' : undefined;
  if (option === undefined) return undefined;
  throw new AdvertiseXError('usage', `${option} is about standard input, which is not read`, 'Name the feed that is piped in as well: --stdin <feed>.');
}

async function openSources(
  context: CommandContext,
  instance: Instance,
  live: LivePipeline,
  { onSource }: Telemetry,
  { watched, pipe }: Input,
): Promise<LiveSources> {
  const { LiveSources, watchedBuckets, watchedFolders } = await import('../../app/live/open-sources.ts');
  const { settingsSchema } = await import('../../config/settings.ts');
  const { topicsToConsume } = await import('../../app/live/consumed-topics.ts');
  const { sources } = context.settings();
  const topics = await topicsToConsume(context.settings(), context.host.environment);
  // As in a settings file that says no more of them.
  const here = watched.filter(({ path }) => !isObjectUrl(path)).map(({ feed, path }) => ({ feed, path: context.path(path) }));
  const remote = watched.filter(({ path }) => isObjectUrl(path)).map(({ feed, path }) => ({ feed, ...parseObjectUrl(path) }));
  const said = { folders: here, buckets: remote.map(({ feed, bucket, key }) => ({ feed, bucket, prefix: key })) };
  const more = settingsSchema.parse({ sources: said }).sources;
  const folders = [...watchedFolders(sources), ...watchedFolders(more)];
  const buckets = [...watchedBuckets(sources), ...watchedBuckets(more)];
  const places = [...folders, ...buckets.map(({ feed, bucket, prefix }) => ({ feed, path: objectUrl({ bucket, key: prefix }) }))];
  for (const { feed, path } of places) onSource({ source: path, level: 'note', message: `Watching ${path} for files of ${feed}.` });
  return new LiveSources(instance, {
    live,
    folders: folders.map((folder) => ({ ...folder, path: context.path(folder.path) })),
    ...(topics === undefined ? {} : { topics }),
    buckets,
    ...(pipe === undefined ? {} : { pipe }),
    onEvent: onSource,
    sleep,
    monotonicMs: () => performance.now(),
  });
}

type LogFormat = Settings['log']['format'];

async function openTelemetry(context: CommandContext, log: Settings['log']): Promise<Telemetry> {
  const { Telemetry } = await import('../../app/telemetry/telemetry.ts');
  return new Telemetry({
    log,
    say: context.messages,
    write: (line) => void context.host.stderr.write(line),
    version: packageVersion(),
    nowMicros: context.host.clock,
    nowSeconds: () => performance.now() / 1_000,
    sleep,
  });
}

async function startHousekeeping(instance: Instance, { onHousekeeping: onEvent }: Telemetry): Promise<readonly Housekeeping[]> {
  const [{ Housekeeping }, { housekeepingJobs }] = await Promise.all([import('../../app/live/housekeeping.ts'), import('../../app/live/housekeeping-jobs.ts')]);
  const nowMicros = () => performance.now() * 1_000;
  return housekeepingJobs(instance).map((jobs) => new Housekeeping({ jobs, nowMicros, sleep, onEvent }));
}

/** Aborted, it is over at once. */
function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return wait(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

const LOOK_AT_CERTIFICATE_MILLIS = 10_000;

async function readSecurity({ tokens, certificate, private_key }: Settings['server']): Promise<Pick<ServerOptions, 'tokens' | 'tls'>> {
  const { readTokenFile } = await import('../../server/token-file.ts');
  if ((certificate === undefined) !== (private_key === undefined)) {
    throw new AdvertiseXError('config_invalid', 'server.certificate and server.private_key go together', 'Set both, or none.');
  }
  return {
    tokens: tokens === undefined ? [] : readTokenFile(tokens),
    ...(certificate === undefined || private_key === undefined
      ? {}
      : { tls: { certificatePath: certificate, keyPath: private_key, lookMillis: LOOK_AT_CERTIFICATE_MILLIS } }),
  };
}

async function serverOptions(
  context: CommandContext,
  live: LivePipeline,
  telemetry: Telemetry,
  { host, port, allowed_origins, redirect_hosts }: Settings['server'],
): Promise<Omit<ServerOptions, 'tokens' | 'tls'>> {
  const [{ SERVER_LIMITS }, { metricsRoute }] = await Promise.all([import('../../server/limits.ts'), import('../../server/metrics-route.ts')]);
  return {
    host,
    port,
    collector: live,
    health: { unreadyReasons: async () => live.troubles },
    allowedOrigins: allowed_origins,
    ...(redirect_hosts.length === 0 ? {} : { tracking: { redirectHosts: redirect_hosts } }),
    limits: SERVER_LIMITS,
    secret: randomBytes(32),
    version: packageVersion(),
    nowMicros: context.host.clock,
    newRequestId: randomUUID,
    report: telemetry.report,
    onAnswered: telemetry.onAnswered,
    routes: [metricsRoute(telemetry.expose)],
  };
}

function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
