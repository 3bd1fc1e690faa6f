/**
 * Which way knowledge flows: domain ← contracts, ports, config ← stages ← app ← server ← command line.
 * Adapters import their port and what is below it, and only app imports adapters. Stages meet at a type or a table,
 * never at an import.
 */
export interface Layer {
  readonly name: string;
  /** The first layer whose pattern matches a path is its layer. */
  readonly files: RegExp;
  readonly mayImport: readonly string[];
  /** Modules of this layer see only those of the same folder (the first capture group), not their sisters. */
  readonly foldersApart?: true;
}

const GROUND = ['domain', 'config', 'port', 'contracts', 'staging'];

export const LAYERS: readonly Layer[] = [
  { name: 'domain', files: /^src\/domain\//, mayImport: ['domain'] },
  { name: 'config', files: /^src\/config\//, mayImport: ['domain', 'config'] },
  {
    name: 'port',
    files:
      /^src\/(?:encodings\/(?:decoder|messages|record-slots)|engines\/engine|sources\/source|contracts\/contract|collector\/collector|object-store\/object-store)\.ts$/,
    mayImport: ['domain', 'config', 'port'],
  },
  // The form in which the edge hands records to the engine: the type that those stages meet at.
  { name: 'staging', files: /^src\/staging\//, mayImport: ['domain', 'port', 'staging'] },
  { name: 'contracts', files: /^src\/contracts\//, mayImport: GROUND },
  // The way into the encodings: a decoder, or a decompressed stream, by name. Stages see this much of them, not a decoder itself.
  {
    name: 'encodings',
    files: /^src\/encodings\/(?:create-decoder|open-message-decoder|open-parquet|open-stream|detect-encoding)\.ts$/,
    mayImport: [...GROUND, 'adapter', 'encodings'],
  },
  {
    name: 'adapter',
    files: /^src\/(encodings|engines\/[^/]+|sources|object-store\/[^/]+)\//,
    mayImport: [...GROUND, 'encodings', 'adapter'],
    foldersApart: true,
  },
  {
    name: 'stage',
    files: /^src\/(ingest|batches|lake|collector|quality|alerts|telemetry|reports)\//,
    mayImport: [...GROUND, 'encodings', 'stage'],
    foldersApart: true,
  },
  // How values look to programs and to people, wherever they are shown.
  { name: 'rendering', files: /^src\/rendering\//, mayImport: ['domain', 'rendering'] },
  // Makes traffic; knows nothing of how it is processed.
  { name: 'generator', files: /^src\/generate\//, mayImport: ['domain', 'generator'] },
  { name: 'app', files: /^src\/app\//, mayImport: [...GROUND, 'encodings', 'adapter', 'stage', 'generator', 'app'] },
  { name: 'server', files: /^src\/server\//, mayImport: [...GROUND, 'rendering', 'app', 'server'] },
  // Starts everything else.
  { name: 'command line', files: /^src\/cli\//, mayImport: [...GROUND, 'rendering', 'app', 'generator', 'server', 'command line'] },
];

/** Packages that one part of the tree owns: replacing one is a change in one place. */
export const PACKAGE_OWNERS: Readonly<Record<string, RegExp>> = {
  '@duckdb/node-api': /^src\/engines\/duckdb\//,
  '@platformatic/kafka': /^src\/sources\/kafka\//,
  '@aws-sdk/client-s3': /^src\/object-store\/s3\//,
  '@aws-sdk/lib-storage': /^src\/object-store\/s3\//,
  commander: /^src\/cli\//,
  fastify: /^src\/server\//,
  pino: /^src\/telemetry\//,
  'prom-client': /^src\/telemetry\//,
  'cli-progress': /^src\/cli\//,
  avsc: /^src\/(encodings|generate)\//,
  snappyjs: /^src\/(encodings|generate)\//,
  isbot: /^src\/ingest\//,
  ajv: /^src\/contracts\//,
  yaml: /^src\/(config|contracts)\//,
};

/** Time, ids and randomness are handed in here: the same input gives the same output, today and in a test. */
export const PURE = /^src\/(domain|contracts|encodings|ingest|generate|batches|collector)\//;
