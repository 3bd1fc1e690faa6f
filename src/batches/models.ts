import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Engine } from '../engines/engine.ts';

/**
 * A file of `models/`: one SELECT, opened by a comment that says what table it gives, of which kind and grain, and from what.
 * work: made anew for each batch · work-view: the same, computed where it is read · append: rows added to a stored table ·
 * view: what readers see · check: an equation of `advertisex recon`, giving the rows that break it.
 */
export interface Model {
  /** `clicks/valid_clicks` */
  readonly path: string;
  /** Table or view: `valid_clicks`, `store.clicks`. */
  readonly name: string;
  readonly kind: ModelKind;
  readonly grain: string;
  readonly select: string;
  /** Tables and views that it reads, by their names; also what it calls so itself. */
  readonly reads: ReadonlySet<string>;
}

export const MODEL_KINDS = ['work', 'work-view', 'append', 'view', 'check'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

const MODELS_DIRECTORY = fileURLToPath(new URL('../../models', import.meta.url));

export function loadModels(directory = MODELS_DIRECTORY): ReadonlyMap<string, Model> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sql'));
  return new Map(files.map((file) => readModel(directory, file.replace(/\.sql$/, ''))).map((model) => [model.path, model]));
}

function readModel(directory: string, path: string): Model {
  const select = readFileSync(join(directory, `${path}.sql`), 'utf8').trim();
  const header = /^\/\*([\s\S]*?)\*\//.exec(select)?.[1] ?? '';
  const entry = (key: string) => new RegExp(`^\\s*${key}: (.+)$`, 'm').exec(header)?.[1]?.trim();
  const [name, kind, grain] = [entry('model'), entry('kind'), entry('grain')];
  if (name === undefined || grain === undefined || !MODEL_KINDS.includes(kind as ModelKind)) {
    throw new AdvertiseXError(
      'data_unusable',
      `The model ${path}.sql does not open with its model, kind and grain`,
      'Install AdvertiseX again: a file of it is damaged.',
    );
  }
  const reads = new Set([...select.matchAll(/\b(?:from|join)\s+([a-z_.]+)/g)].map(([, table]) => table as string));
  return { path, name, kind: kind as ModelKind, grain, select, reads };
}

/** How many rows its table got; of a stored one, 1 for some or none. */
export async function runModel(engine: Engine, model: Model): Promise<number> {
  switch (model.kind) {
    case 'work':
      return engine.run(`create or replace temp table ${model.name} as ${model.select}`);
    case 'work-view':
      return engine.run(`create or replace temp view ${model.name} as ${model.select}`);
    case 'append':
      await engine.append(model.name, model.select);
      return 1;
    case 'view':
      return engine.run(`create or replace view ${model.name} as ${model.select}`);
    case 'check':
      throw new TypeError(`${model.path} is a check: it is queried, not run`);
  }
}
