import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Option } from 'commander';
import type { Instance } from '../../app/instance.ts';
import type { LiveEvent, LivePipeline } from '../../app/live/live-pipeline.ts';
import type { LiveSources } from '../../app/live/open-sources.ts';
import type { Settings } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { ENCODINGS, type Encoding, FEEDS, type Feed } from '../../domain/feeds.ts';
import type { ServerOptions } from '../../server/server.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseDelimiter, parsePort, parseWatched, type WatchedFeed } from '../option-values.ts';
import { loadInstanceContracts } from '../with-instance.ts';

export const up: CommandDefinition = {
  name: 'up',
  summary: 'take records all the time, over HTTP, from folders and from a pipe, and keep the figures up to date',
  description:
    'Takes records over HTTP (POST /v1/events/<feed>: JSON, NDJSON, CSV or Avro, plain, gzip or zstd), files of watched folders as they are complete, and records that are piped in, until it is stopped. An answer of 2xx means that they are on disk; they are in the tables a moment later. Meanwhile it does what other commands (`ingest`, `quarantine replay`, `lake export`) ask for. Stopped by Ctrl-C or SIGTERM it commits what it took, and writes the lake; killed, it does so when it starts again.',
  examples: [
    'advertisex up',
    'advertisex up --port 8080 --data /srv/advertisex',
    'advertisex up --watch clicks-conversions=/srv/in/clicks --watch bid-requests=/srv/in/bids',
    'tail -F impressions.jsonl | advertisex up --stdin ad-impressions',
  ],
  declare: (command) => {
    command.option('--host <address>', 'to listen on; other than loopback it needs tokens (server.tokens)');
    command.addOption(new Option('--port <number>', 'to listen on; 0: any that is free').argParser(parsePort));
    command.addOption(
      new Option('--watch <feed=dir>', 'take the files that come into this folder, beside those of sources.folders; may be given again').argParser(
        parseWatched,
      ),
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
    const pipe = pipeOf(context, options);
    const [{ openInstance }, { createServer }] = await Promise.all([import('../../app/instance.ts'), import('../../server/server.ts')]);
    const security = await readSecurity(server);
    const instance = await openInstance({
      dataDirectory: context.dataDirectory,
      settings,
      contracts: await loadInstanceContracts(context),
      access: 'write',
      command: 'up',
      worksForOthers: true,
      // It is stopped in order, not where it stands: no signal.
      nowMicros: context.host.clock,
    });
    try {
      const live = await startLive(context, instance);
      const sources = await openSources(context, instance, live, (options.watch ?? []) as readonly WatchedFeed[], pipe).catch(async (error) => {
        await live.stop();
        throw error;
      });
      try {
        const http = await createServer({ ...(await serverOptions(context, live, server)), ...security });
        sources.start();
        context.messages.note(`Taking records at ${http.url}/v1/events/<feed>. Ctrl-C stops.`);
        try {
          const pipeEnded = options.untilEnd === true ? sources.pipe?.ended : undefined;
          await Promise.race([untilStopped(context.signal), ...(pipeEnded === undefined ? [] : [pipeEnded])]);
        } finally {
          context.messages.note('Stopping: what was taken is committed first.');
          await http.close();
        }
      } finally {
        await sources.stop();
        await live.stop();
      }
      if (settings.lake.after_ingest) await (await import('../../app/write-lake.ts')).exportInstanceLake(instance);
      return 0;
    } finally {
      await instance.close();
    }
  },
};

type Pipe = Pick<import('../../app/live/pipe-source.ts').PipeOptions, 'feed' | 'encoding' | 'delimiter' | 'input'>;

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
  watched: readonly WatchedFeed[],
  pipe: Pipe | undefined,
): Promise<LiveSources> {
  const { LiveSources, watchedFolders } = await import('../../app/live/open-sources.ts');
  const { settingsSchema } = await import('../../config/settings.ts');
  const { sources } = context.settings();
  // As in a settings file that says no more of them.
  const more = settingsSchema.parse({ sources: { folders: watched.map(({ feed, path }) => ({ feed, path: context.path(path) })) } }).sources;
  const folders = [...watchedFolders(sources), ...watchedFolders(more)];
  for (const { feed, path } of folders) context.messages.note(`Watching ${path} for files of ${feed}.`);
  return new LiveSources(instance, {
    live,
    folders: folders.map((folder) => ({ ...folder, path: context.path(folder.path) })),
    ...(pipe === undefined ? {} : { pipe }),
    onEvent: ({ level, message }) => (level === 'note' ? context.messages.note(message) : context.messages.warn(message)),
    sleep,
    monotonicMs: () => performance.now(),
  });
}

/** Aborted, it is over at once. */
function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return wait(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

async function startLive(context: CommandContext, instance: Instance): Promise<LivePipeline> {
  const { openLive } = await import('../../app/live/open-live.ts');
  return openLive(instance, {
    onEvent: (event) => tell(context, event),
    onDamage: ({ kind, segment, setAside }) => {
      const copy = setAside === undefined ? '' : `; what stood there is kept in ${setAside}`;
      if (kind === 'cut') context.messages.note(`The log ended in the middle of an entry that was not acknowledged${copy}.`);
      else context.messages.warn(`The log is damaged in ${segment}: entries are lost there${copy}.`);
    },
    newMarker: () => randomBytes(8),
    sleep,
  });
}

function tell({ messages }: CommandContext, event: LiveEvent): void {
  if (event.what === 'recovered') messages.note(`Found ${count(event.records)} records in the log that were taken and not committed.`);
  else if (event.what === 'failed') {
    const retry = event.retryInMilliseconds > 0 ? ` It is tried again in ${event.retryInMilliseconds / 1_000} s; what was acknowledged is in the log.` : '';
    messages.warn(`${event.error instanceof Error ? event.error.message : String(event.error)}.${retry}`);
  }
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
  { host, port, allowed_origins, redirect_hosts }: Settings['server'],
): Promise<Omit<ServerOptions, 'tokens' | 'tls'>> {
  const { SERVER_LIMITS } = await import('../../server/limits.ts');
  return {
    host,
    port,
    collector: live,
    health: { unreadyReasons: async () => live.troubles },
    allowedOrigins: allowed_origins,
    ...(redirect_hosts.length === 0 ? {} : { tracking: { redirectHosts: redirect_hosts } }),
    limits: SERVER_LIMITS,
    nowMicros: context.host.clock,
    newRequestId: randomUUID,
    report: (message) => context.messages.warn(message),
  };
}

function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function count(value: number): string {
  return value.toLocaleString('en');
}
