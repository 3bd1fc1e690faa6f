import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Option } from 'commander';
import type { Instance } from '../../app/instance.ts';
import type { LiveEvent, LiveOptions, LivePipeline } from '../../app/live/live-pipeline.ts';
import type { Settings } from '../../config/settings.ts';
import type { ServerOptions } from '../../server/server.ts';
import type { CommandDefinition, ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parsePort } from '../option-values.ts';
import { watchDisk } from '../watch-disk.ts';
import { loadInstanceContracts } from '../with-instance.ts';

export const up: CommandDefinition = {
  name: 'up',
  summary: 'take records over HTTP, all the time, and keep the figures up to date',
  description:
    'Takes records over HTTP (POST /v1/events/<feed>: JSON, NDJSON, CSV or Avro, plain, gzip or zstd) until it is stopped. An answer of 2xx means that they are on disk; they are in the tables a moment later. Stopped by Ctrl-C or SIGTERM it commits what it took, and writes the lake; killed, it does so when it starts again.',
  examples: ['advertisex up', 'advertisex up --port 8080 --data /srv/advertisex'],
  declare: (command) => {
    command.option('--host <address>', 'to listen on; other than loopback it needs tokens (server.tokens)');
    command.addOption(new Option('--port <number>', 'to listen on; 0: any that is free').argParser(parsePort));
  },

  run: async (context, _parameters, options): Promise<ExitCode> => {
    const settings = context.settings();
    const server = {
      ...settings.server,
      ...(options.host === undefined ? {} : { host: String(options.host) }),
      ...(options.port === undefined ? {} : { port: options.port as number }),
    };
    const [{ openInstance }, { createServer }] = await Promise.all([import('../../app/instance.ts'), import('../../server/server.ts')]);
    const security = await readSecurity(server);
    const instance = await openInstance({
      dataDirectory: context.dataDirectory,
      settings,
      contracts: await loadInstanceContracts(context),
      access: 'write',
      command: 'up',
      // It is stopped in order, not where it stands: no signal.
      nowMicros: context.host.clock,
    });
    const disk = await watchDisk(context.messages, instance);
    try {
      const live = await startLive(context, instance, () => disk.budget.trouble);
      try {
        const http = await createServer({ ...(await serverOptions(context, live, server)), ...security });
        context.messages.note(`Taking records at ${http.url}/v1/events/<feed>. Ctrl-C stops.`);
        await untilStopped(context.signal);
        context.messages.note('Stopping: what was taken is committed first.');
        await http.close();
      } finally {
        await live.stop();
      }
      if (settings.lake.after_ingest) await (await import('../../app/write-lake.ts')).exportInstanceLake(instance);
      return 0;
    } finally {
      disk.stop();
      await instance.close();
    }
  },
};

async function startLive(context: CommandContext, instance: Instance, room: LiveOptions['room']): Promise<LivePipeline> {
  const { openLive } = await import('../../app/live/open-live.ts');
  return openLive(instance, {
    room,
    onEvent: (event) => tell(context, event),
    onDamage: ({ kind, segment, setAside }) => {
      const copy = setAside === undefined ? '' : `; what stood there is kept in ${setAside}`;
      if (kind === 'cut') context.messages.note(`The log ended in the middle of an entry that was not acknowledged${copy}.`);
      else context.messages.warn(`The log is damaged in ${segment}: entries are lost there${copy}.`);
    },
    newMarker: () => randomBytes(8),
    // Aborted, it is over at once.
    sleep: (milliseconds, signal) => wait(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
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
  const { AdvertiseXError } = await import('../../domain/errors.ts');
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
