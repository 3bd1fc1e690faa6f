import { z } from 'zod';
import { ENCODINGS, EVENT_FEEDS, FEEDS, FILE_ENCODINGS } from '../domain/feeds.ts';
import { OBJECT_URL } from '../domain/object-location.ts';

/** What an instance can be told: every setting has a default and a line that says what it does. */

const seconds = z.number().int().positive().max(31_536_000);
const days = z.number().int().positive().max(36_500).optional();
const timeZone = z
  .string()
  .refine(isTimeZone, 'is not an IANA time zone (for example Europe/Berlin)')
  .meta({ expected: 'an IANA time zone, like Europe/Berlin' });

/** What `800MB` and `2GB` mean. */
export function bytesOfSize(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('GB') ? 1_000_000_000 : 1_000_000);
}

const size = z
  .string()
  .regex(/^\d+(MB|GB)$/, 'is not a size like 800MB or 2GB')
  .meta({ expected: 'a size like 800MB or 2GB' });

const file = z.string().min(1).optional().meta({ expected: 'a file', isPath: true });

const registryUrl = z
  .string()
  .refine(isRegistryUrl, 'is no HTTP address, or holds a name and a password')
  .optional()
  .meta({ expected: 'an address that begins with http:// or https://, without a name and a password in it' });

const watchedFolder = z.strictObject({
  feed: z.enum(FEEDS).describe('what its files hold'),
  path: z.string().min(1).describe('the folder, with the folders in it').meta({ expected: 'a folder', isPath: true }),
  encoding: z.enum(FILE_ENCODINGS).optional().describe('of its files (default: told from each file)'),
  delimiter: z
    .string()
    .regex(/^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7f]$/, 'is not one ASCII character')
    .optional()
    .describe('between the cells of CSV (default: ,)')
    .meta({ expected: 'one ASCII character' }),
  pattern: z.string().min(1).optional().describe('names of the files that are taken, from the folder on, like **/*.csv.gz (default: all)'),
  quiet_seconds: z
    .number()
    .min(0)
    .max(86_400)
    .default(5)
    .describe('a file that has not changed for so long is complete; 0 where files are only ever moved into the folder'),
  after: z
    .enum(['keep', 'delete', 'move'])
    .default('keep')
    .describe('what is done with a file once it is taken; move: to _taken in the folder, damaged ones to _damaged. Damaged files are never deleted'),
});

const consumedTopic = z.strictObject({
  feed: z.enum(FEEDS).describe('what its messages are, a record in each'),
  topic: z
    .string()
    .regex(/^[\w.-]{1,249}$/, 'is not a name of a topic')
    .describe('its name')
    .meta({ expected: 'a name of letters, digits, dots, hyphens and underscores' }),
  encoding: z.enum(ENCODINGS).optional().describe('of its messages (default: json for ad-impressions, avro for bid-requests, csv for the others)'),
  framing: z
    .enum(['confluent', 'single-object'])
    .default('confluent')
    .describe('how a message in Avro names its schema: by the id of the registry, or by its fingerprint (Avro single-object encoding)'),
  schema: file.describe('Avro schema of all its messages, where they name none (default: they do)'),
  delimiter: z
    .string()
    .regex(/^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7f]$/, 'is not one ASCII character')
    .optional()
    .describe('between the cells of CSV (default: ,)')
    .meta({ expected: 'one ASCII character' }),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .max(1_000)
    .optional()
    .describe('what the cells of CSV are, in order (default: the fields of the contract, in its order)')
    .meta({ expected: 'a list of fields' }),
  from: z
    .enum(['earliest', 'latest'])
    .default('earliest')
    .describe('where a topic begins that was never consumed before: with what is there, or with what comes'),
});

const watchedBucket = z.strictObject({
  feed: z.enum(FEEDS).describe('what its objects hold'),
  bucket: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{1,254}$/, 'is not the name of a bucket')
    .describe('where they come to')
    .meta({ expected: 'the name of a bucket' }),
  prefix: z.string().default('').describe('what their keys begin with, as a folder'),
  encoding: watchedFolder.shape.encoding,
  delimiter: watchedFolder.shape.delimiter,
  pattern: z.string().min(1).optional().describe('keys that are taken, from the prefix on, like **/*.csv.gz (default: all)'),
  every_seconds: z.number().int().min(1).max(86_400).default(60).describe('how often it is listed: a request for each thousand objects'),
});

/** Credentials have places of their own, which are not written into settings. */
const endpoint = z
  .string()
  .refine(isPlainAddress, 'is not an address like https://minio.example.com:9000, without a user in it')
  .meta({ expected: 'an address like https://minio.example.com:9000, without a user in it' });

export const settingsSchema = z.strictObject({
  instance: z
    .strictObject({
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, 'is not a currency code of three capital letters')
        .meta({ expected: 'a currency code of three capital letters' })
        .default('USD')
        .describe('currency of every stored amount'),
      reporting_time_zone: timeZone.default('UTC').describe('whose midnight a report_date starts at'),
      contracts: z
        .string()
        .min(1)
        .optional()
        .describe('folder of contracts, from where this file is (default: the contracts that come with AdvertiseX)')
        .meta({ expected: 'a folder', isPath: true }),
    })
    .prefault({})
    .describe('what holds for everything in a data directory'),
  feeds: z
    .strictObject(
      Object.fromEntries(
        EVENT_FEEDS.map((feed) => [
          feed,
          z.strictObject({ time_zone: timeZone.default('UTC').describe('time zone of timestamps that name none') }).prefault({}),
        ]),
      ) as Record<(typeof EVENT_FEEDS)[number], z.ZodPrefault<z.ZodObject<{ time_zone: z.ZodDefault<z.ZodString> }>>>,
    )
    .prefault({})
    .describe('what a feed of events is like when its records do not say'),
  normalising: z
    .strictObject({
      null_spellings: z.array(z.string().max(64)).max(32).default(['', 'null', 'NULL', '-', 'n/a', 'N/A']).describe('spellings that mean absent'),
    })
    .prefault({})
    .describe('how values are read'),
  invalid_traffic: z
    .strictObject({
      double_click_seconds: z.number().int().min(0).max(86_400).default(1).describe('a click at most this long after the last valid one is a double click'),
      click_flood_per_day: z.number().int().positive().max(1_000_000).default(10).describe('valid clicks of one user on one campaign in one UTC day'),
    })
    .prefault({})
    .describe('which clicks are flagged; flagged traffic is kept, and left out of the valid figures'),
  correlation: z
    .strictObject({
      click_to_impression_seconds: seconds.default(86_400).describe('how long after an impression a click can belong to it'),
    })
    .prefault({})
    .describe('which impression a click belongs to'),
  attribution: z
    .strictObject({
      match: z.enum(['campaign', 'user']).default('campaign').describe('touches of the same user and campaign, or of the same user'),
      eligible: z.enum(['click_preferred', 'all']).default('click_preferred').describe('if any click is eligible only clicks count, or all touches count'),
      click_window_seconds: seconds.default(2_592_000).describe('how long after a click a conversion can be credited to it'),
      impression_window_seconds: seconds.default(86_400).describe('how long after an impression a conversion can be credited to it'),
      half_life_seconds: seconds.default(604_800).describe('half-life of the time_decay model'),
      max_touches: z.number().int().positive().max(10_000).default(1_000).describe('the latest touches of a path that are kept'),
    })
    .prefault({})
    .describe('which touches a conversion is credited to'),
  limits: z
    .strictObject({
      record_bytes: z.number().int().min(1_024).max(67_108_864).default(1_048_576).describe('a larger record is quarantined as too_large'),
      batch_records: z.number().int().min(1).max(10_000_000).default(500_000).describe('a batch of a backfill holds about this many records'),
      memory: size.default('800MB').describe('what the engine may use; of `up`, half of it: the rest is for requests under way'),
      threads: z.number().int().positive().max(256).optional().describe('engine threads (default: as many as the machine has; of `up`, one fewer)'),
      query_seconds: z
        .number()
        .int()
        .positive()
        .max(86_400)
        .default(60)
        .describe('how long a query over HTTP, or of a command while another process holds the data, may take until its last row is received'),
      query_spill: size.default('4GB').describe('what such queries may put on disk for want of memory; one that needs more is stopped'),
      workers: z.number().int().positive().max(64).optional().describe('decoding worker threads (default: by the number of processors)'),
      disk: size.optional().describe('what the data directory may take: records are refused before it does (default: what the file system has)'),
      free_disk: size.default('1GB').describe('what is left free on its file system, at most a tenth of it: records are refused before less is'),
    })
    .prefault({})
    .describe('what the process may use'),
  server: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('address that `up` listens on; other than loopback it needs tokens')
        .meta({ expected: 'a name or an address of this machine' }),
      port: z.number().int().min(0).max(65_535).default(8_480).describe('port that `up` listens on; 0: any that is free'),
      tokens: file.describe(
        'file of access tokens: a role (ingest, read, admin) and the SHA-256 of the token in a line, more roles with commas (default: none)',
      ),
      certificate: file.describe('TLS certificate chain, PEM; read again when it changes (default: plain HTTP)'),
      private_key: file.describe('key of the certificate, PEM (default: none)'),
      allowed_origins: z.array(z.string().min(1)).max(100).default([]).describe('web pages that may use the API, like https://dashboard.example.com'),
      redirect_hosts: z
        .array(z.string().min(1))
        .max(10_000)
        .default([])
        .describe(
          'hosts that tracked clicks may go on to, like www.example.com or *.example.com; with any, the pixel and the click address are open to everyone',
        ),
    })
    .prefault({})
    .describe('the HTTP server of `up`'),
  recon: z
    .strictObject({
      every_seconds: z
        .number()
        .int()
        .min(0)
        .max(604_800)
        .default(900)
        .describe('how often `up` checks what must always hold, at the most; 0: never. It takes a twentieth of the time at most'),
    })
    .prefault({})
    .describe('the checks of `advertisex recon` while `up` runs'),
  log: z
    .strictObject({
      format: z.enum(['text', 'json']).default('text').describe('sentences for people, or a JSON object a line for programs'),
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('the least that is said; with debug each batch and each request'),
    })
    .prefault({})
    .describe('what `up` says on standard error'),
  retention: z
    .strictObject({
      silver_days: days.describe('whole days that events and their attribution are kept, where their table is not named below (default: for ever)'),
      impressions_days: days.describe('of impressions (default: silver_days)'),
      clicks_days: days.describe('of clicks (default: silver_days)'),
      conversions_days: days.describe('of conversions (default: silver_days)'),
      bid_requests_days: days.describe('of bid requests (default: silver_days)'),
      attribution_days: days.describe('of the credit of conversions, by the day of the conversion (default: silver_days)'),
      gold_days: days.describe('of sums by hour and day (default: for ever)'),
      quarantine_days: days.describe('of refused records, by the day of receipt (default: for ever)'),
      raw_days: days.describe('of the raw archive, by the day of receipt (default: for ever)'),
      late_days: z
        .number()
        .int()
        .min(0)
        .max(365)
        .default(7)
        .describe('how many days late an event may come and still find all that it belongs to: the others must be longer than the windows by it'),
    })
    .prefault({})
    .describe('how long rows are kept; what identifies an event is kept for ever'),
  raw_archive: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('keep what `up` took as Parquet by day of receipt (raw/ in the data directory); `advertisex rebuild --from-raw` makes the tables of it'),
    })
    .prefault({})
    .describe('records as they came, kept beyond the tables'),
  sources: z
    .strictObject({
      folders: z
        .array(watchedFolder)
        .max(50)
        .default([])
        .describe('folders whose files `up` takes as they come')
        .meta({ expected: 'a list of folders, each with its feed and its path' }),
      topics: z
        .array(consumedTopic)
        .max(14)
        .default([])
        .describe('topics of Kafka that `up` consumes')
        .meta({ expected: 'a list of topics, each with its feed and its name' }),
      buckets: z
        .array(watchedBucket)
        .max(50)
        .default([])
        .describe('buckets whose objects `up` takes as they come')
        .meta({ expected: 'a list of buckets, each with its feed and its name' }),
    })
    .prefault({})
    .describe('where `up` takes records from, beside HTTP'),
  kafka: z
    .strictObject({
      brokers: z
        .array(z.string().regex(/^([\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/, 'is not an address with a port'))
        .max(100)
        .default([])
        .describe('some of the brokers; they name the others')
        .meta({ expected: 'a list of addresses with ports, like [kafka-1.example.com:9092]' }),
      client_id: z.string().min(1).max(249).default('advertisex').describe('what the brokers call this instance in their logs, metrics and quotas'),
      tls: z.boolean().default(false).describe('connect by TLS: without it all that is sent can be read on the way, and with `plain` the password too'),
      ca: file.describe('certificates of the authorities that may have signed those of the brokers, PEM (default: those that Node.js comes with)'),
      certificate: file.describe('certificate of this client and those between it and its root, PEM (default: none)'),
      private_key: file.describe('key of the certificate, PEM (default: none)'),
      sasl_mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional().describe('how to log in (default: not at all)'),
      username: z.string().min(1).optional().describe('who logs in (default: nobody)').meta({ expected: 'a name' }),
      password_file: file.describe('file that holds the password, if the environment variable ADVERTISEX_KAFKA_PASSWORD does not (default: none)'),
    })
    .prefault({})
    .describe('the Kafka cluster, and how to connect to it'),
  registry: z
    .strictObject({
      url: registryUrl.describe('of the API, with the path before /subjects, like http://registry.example:8081 (default: none)'),
      username: z.string().min(1).max(1_000).optional().describe('whom the registry knows us as (default: nobody)'),
      password: z.string().max(10_000).optional().describe('of that user; better in the environment than in a file (default: none)').meta({ isSecret: true }),
      password_file: file.describe('file that holds the password, if neither the environment nor this file does (default: none)'),
      ca: file.describe('certificates of the authorities that its own may be from, PEM (default: those of the system)'),
    })
    .prefault({})
    .describe("the schema registry (Confluent's API) that Avro messages name their schemas of"),
  s3: z
    .strictObject({
      endpoint: endpoint.optional().describe('of an S3 server other than AWS (default: AWS)'),
      region: z
        .string()
        .regex(/^[a-z0-9-]+$/, 'is not a region')
        .optional()
        .describe('of the buckets (default: what the environment or the profile of AWS says; with an endpoint us-east-1)')
        .meta({ expected: 'a region like eu-central-1' }),
      path_style: z.boolean().optional().describe('the bucket is part of the path, not of the host name (default: true with an endpoint)'),
    })
    .prefault({})
    .describe('how `s3://` is reached; credentials come from where AWS tools look for them: the environment, a profile, the role of the container or machine'),
  lake: z
    .strictObject({
      after_ingest: z.boolean().default(true).describe('write the days that changed to the lake when an `ingest`, an `expire` or `up` ends'),
      every_seconds: z
        .number()
        .int()
        .min(0)
        .max(86_400)
        .default(300)
        .describe('how often `up` writes the days that changed to the lake while it runs; 0: only when it is stopped'),
      location: z
        .string()
        .regex(OBJECT_URL, 'is not a place like s3://bucket/lake')
        .optional()
        .describe('where the lake is put as well once it is written, like s3://bucket/lake (default: it is in the data directory alone)')
        .meta({ expected: 'a place like s3://bucket/lake' }),
      encryption: z.enum(['aes256', 'kms']).optional().describe('of its objects, by the store (default: as the bucket has it)'),
      kms_key: z.string().min(1).optional().describe("id or ARN of the key for kms (default: the store's own)").meta({ expected: 'the id or ARN of a key' }),
    })
    .prefault({})
    .describe('the Parquet files other engines read'),
  housekeeping: z
    .strictObject({
      as_of_hours: z.number().int().min(1).max(87_600).default(24).describe('for so many hours sums can be read --as-of every batch'),
      as_of_days: z
        .number()
        .int()
        .min(0)
        .max(36_500)
        .default(92)
        .describe('for so many days sums can be read --as-of the last batch of each day (UTC), once the hours are over'),
    })
    .prefault({})
    .describe('what `up`, `ingest` and `compact` keep readable when they fold the sums of many batches together'),
});

export type Settings = z.infer<typeof settingsSchema>;

function isRegistryUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function isPlainAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
