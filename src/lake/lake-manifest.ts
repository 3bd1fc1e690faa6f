import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { MANIFEST_FILE } from './lake-layout.ts';
import { LAKE_TYPES } from './lake-source.ts';

/**
 * `lake/_manifest.json`: what the lake holds, for programs that read it without listing folders, and for the next export, which
 * writes only what has changed since. It is written after the files it names: where a crash left it behind, the next export
 * finds its batch behind as well and does those slices again.
 */
const count = z.number().int().nonnegative();
const manifestSchema = z.object({
  format: z.literal('advertisex-lake'),
  version: z.literal(1),
  origin: z.string(),
  /** In an object store: the data directory whose lake it is. */
  writer: z.string().optional(),
  /** Slices that an export puts in place at the moment, or broke off at, by table: each is as before or newer. */
  writing: z.record(z.string(), z.array(z.string())).optional(),
  tables: z.array(
    z.object({
      name: z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/),
      /** Every file of the table is as of this batch. */
      batch: count,
      divided: z.enum(['by_day', 'whole']),
      columns: z.array(z.object({ name: z.string(), type: z.enum(LAKE_TYPES) })),
      files: z.array(
        z.object({
          slice: z.string().regex(/^(\d{4}-\d\d-\d\d|whole)$/),
          /** Relative to the manifest. */
          path: z.string(),
          rows: count,
          bytes: count,
          /** When the file was last written; its rows have not changed since. */
          batch: count,
          /** In an object store: the version of the object. */
          etag: z.string().optional(),
        }),
      ),
    }),
  ),
});

export type LakeManifest = z.infer<typeof manifestSchema>;
export type ManifestTable = LakeManifest['tables'][number];
export type ManifestFile = ManifestTable['files'][number];

/** Undefined where there is none, or none that this version can read: the lake is then written anew. */
export async function readManifest(lake: string): Promise<LakeManifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(lake, MANIFEST_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseManifest(text);
}

export function parseManifest(text: string): LakeManifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** One line a file, so that people can read it and `diff` shows what an export changed. */
export function renderManifest({ tables, ...head }: LakeManifest): string {
  const lines = tables.map(({ files, ...table }) => {
    const rendered = files.map((file) => `\n      ${JSON.stringify(file)}`).join(',');
    return `    ${JSON.stringify(table).slice(0, -1)},"files":[${rendered}]}`;
  });
  return `${JSON.stringify(head).slice(0, -1)},"tables":[\n${lines.join(',\n')}\n]}\n`;
}
