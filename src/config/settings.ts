import { z } from 'zod';
import { EVENT_FEEDS, FEEDS, FILE_ENCODINGS } from '../domain/feeds.ts';
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
      buckets: z
        .array(watchedBucket)
        .max(50)
        .default([])
        .describe('buckets whose objects `up` takes as they come')
        .meta({ expected: 'a list of buckets, each with its feed and its name' }),
    })
    .prefault({})
    .describe('where `up` takes records from, beside HTTP'),
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
