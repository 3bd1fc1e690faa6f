import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';
import { FEEDS, type Feed } from '../domain/feeds.ts';
import { checkFields } from './check-fields.ts';
import type { Contract } from './contract.ts';
import { ContractFile, formatFault, isRecord, type Place } from './contract-file.ts';
import { type ReadField, readProperties } from './read-property.ts';

/** The contracts that come with the product, from `src/contracts` and `dist/contracts` alike. */
const SHIPPED_DIR = join(import.meta.dirname, '..', '..', 'contracts');
/** How many faults an error spells out; `contract check` lists them all. */
const FAULTS_IN_MESSAGE = 5;

/** Reads one contract. Throws `contract_invalid` with file, line, place and what was expected. */
export async function loadContract(path: string): Promise<Contract> {
  return contractOf(await ContractFile.read(path));
}

/** The contract in a text that stands, or would stand, at `path`. */
export function parseContract(path: string, text: string): Promise<Contract> {
  return contractOf(ContractFile.parse(path, text));
}

/** Reads the contracts of all feeds from a folder's `*.odcs.yaml` files. Every feed must have exactly one. */
export async function loadContracts(dir: string): Promise<Map<Feed, Contract>> {
  const contracts = new Map<Feed, Contract>();
  for (const path of await listContracts(dir)) {
    const contract = await loadContract(path);
    const other = contracts.get(contract.feed);
    if (other) throw invalid(`${path}: ${contract.feed} has a contract already, in ${other.path}`, 'Keep one contract for each feed in the folder.');
    contracts.set(contract.feed, contract);
  }
  const missing = FEEDS.filter((feed) => !contracts.has(feed));
  if (missing.length > 0) {
    throw invalid(
      `${dir}: no contract for ${missing.join(', ')}`,
      `Expected ${missing.map((feed) => `${feed}.odcs.yaml`).join(', ')}; \`advertisex init\` writes the contracts anew.`,
    );
  }
  return new Map(FEEDS.map((feed) => [feed, contracts.get(feed) as Contract]));
}

/** The contract files of a folder, by name. */
export async function listContracts(dir: string): Promise<string[]> {
  try {
    const names = await readdir(dir);
    return names
      .filter((name) => /\.odcs\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(dir, name));
  } catch (cause) {
    throw invalid(`${dir}: the folder of contracts cannot be read`, 'Name the folder that holds the *.odcs.yaml files; `advertisex init` makes one.', cause);
  }
}

async function contractOf(file: ContractFile): Promise<Contract> {
  const read = await readContract(file, { followsStandard: await isShipped(file) });
  if (read && file.faults.length === 0) return read.contract;
  const shown = file.faults.slice(0, FAULTS_IN_MESSAGE).map(formatFault);
  const more = file.faults.length - shown.length;
  throw invalid(
    [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n'),
    'Correct the contract; `advertisex contract check` lists everything that is wrong with it.',
  );
}

/** A contract with the place of each of its fields in the file, index for index. */
export interface ReadContract {
  readonly contract: Contract;
  readonly fieldPlaces: readonly Place[];
}

/**
 * Reads a parsed file; what is wrong goes to `file.faults`. Undefined where too little is right to speak of a contract.
 * `followsStandard` says that the file is known to be valid against the standard, which takes a fifth of a second to find out.
 */
export async function readContract(file: ContractFile, { followsStandard = false } = {}): Promise<ReadContract | undefined> {
  if (file.faults.length > 0) return undefined;
  const { root } = file;
  if (!isRecord(root)) {
    file.fault([], 'expected a contract of the Open Data Contract Standard (apiVersion, kind, id, …)');
    return undefined;
  }
  if (!followsStandard) {
    const { validateStandard } = await import('./standard/validate-standard.ts');
    for (const { place, message } of validateStandard(root)) file.fault(place, message);
  }
  if (file.faults.length > 0) return undefined;
  if (root['apiVersion'] !== 'v3.1.0') file.fault(['apiVersion'], `expected v3.1.0, not ${String(root['apiVersion'])}`);

  const feed = FEEDS.find((candidate) => candidate === root['name']);
  if (!feed) {
    file.fault(['name'], `expected the name of a feed (${FEEDS.join(', ')}), not ${String(root['name'])}`);
    return undefined;
  }
  const schema = root['schema'];
  if (!Array.isArray(schema) || schema.length !== 1 || !isRecord(schema[0])) {
    file.fault(['schema'], 'expected exactly one object: what a record of the feed is');
    return undefined;
  }
  const fields: ReadField[] = [];
  const place = ['schema', 0, 'properties'];
  readProperties(file, schema[0]['properties'], place, [], fields);
  checkFields(file, feed, fields, place);
  const contract: Contract = { feed, version: String(root['version']), fields: fields.map(({ field }) => field), path: file.path };
  return { contract, fieldPlaces: fields.map((field) => field.place) };
}

/** Whether a file is, to the last byte, one that comes with the product: those were held against the standard when they were written. */
async function isShipped(file: ContractFile): Promise<boolean> {
  const name = isRecord(file.root) ? file.root['name'] : undefined;
  const feed = FEEDS.find((candidate) => candidate === name);
  if (feed === undefined) return false;
  try {
    return (await readFile(join(SHIPPED_DIR, `${feed}.odcs.yaml`), 'utf8')) === file.text;
  } catch {
    return false;
  }
}

function invalid(message: string, remedy: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError('contract_invalid', message, remedy, cause);
}
