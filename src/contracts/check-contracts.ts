import { daysSinceEpoch, MICROS_PER_DAY } from '../domain/calendar.ts';
import { FEEDS, type Feed } from '../domain/feeds.ts';
import { RecordSlots, ValueKind } from '../encodings/record-slots.ts';
import { compileContract } from './compile-contract.ts';
import type { ExampleValue } from './contract.ts';
import { type ContractFault, ContractFile } from './contract-file.ts';
import { listContracts, type ReadContract, readContract } from './load-contract.ts';

/** What `contract check` found in one file. */
export interface CheckedContract {
  readonly path: string;
  /** Undefined where the file is too broken to say. */
  readonly feed: Feed | undefined;
  readonly version: string | undefined;
  readonly fields: number;
  /** Examples that were put through the contract's own check. */
  readonly examples: number;
  readonly faults: readonly ContractFault[];
}

export interface ContractsReport {
  readonly dir: string;
  readonly contracts: readonly CheckedContract[];
  /** Faults of the folder as a whole: a feed with no contract, or with two. */
  readonly faults: readonly ContractFault[];
  readonly valid: boolean;
}

/** Examples may have any time up to 2200: a contract is as right tomorrow as it was on the day it was written. */
const EXAMPLES_RECEIVED_AT = daysSinceEpoch(2200, 1, 1) * MICROS_PER_DAY;

/**
 * Checks every contract of a folder: YAML, the standard, the product's rules, and that each example passes the check it stands in.
 * Throws only where the folder or a file cannot be read.
 */
export async function checkContracts(dir: string): Promise<ContractsReport> {
  const contracts: CheckedContract[] = [];
  for (const path of await listContracts(dir)) contracts.push(await checkContractFile(await ContractFile.read(path)));
  const faults = folderFaults(dir, contracts);
  return { dir, contracts, faults, valid: faults.length === 0 && contracts.every((contract) => contract.faults.length === 0) };
}

async function checkContractFile(file: ContractFile): Promise<CheckedContract> {
  const read = await readContract(file);
  const examples = read && file.faults.length === 0 ? checkExamples(file, read) : 0;
  return {
    path: file.path,
    feed: read?.contract.feed,
    version: read?.contract.version,
    fields: read?.contract.fields.length ?? 0,
    examples,
    faults: file.faults,
  };
}

function folderFaults(dir: string, contracts: readonly CheckedContract[]): ContractFault[] {
  const faults: ContractFault[] = [];
  for (const feed of FEEDS) {
    const paths = contracts.filter((contract) => contract.feed === feed).map(({ path }) => path);
    const unreadable = contracts.some((contract) => contract.feed === undefined);
    if (paths.length === 0 && !unreadable) faults.push({ path: dir, line: 1, place: feed, message: `expected a contract for this feed (${feed}.odcs.yaml)` });
    if (paths.length > 1)
      faults.push({ path: dir, line: 1, place: feed, message: `expected one contract for this feed, not ${paths.length}: ${paths.join(', ')}` });
  }
  return faults;
}

/** Puts each example through the check, alone in a record: faults of other fields are not its own. Returns how many there were. */
function checkExamples(file: ContractFile, { contract, fieldPlaces }: ReadContract): number {
  const check = compileContract(contract, { nullSpellings: [], timeZone: 'UTC' });
  const slots = new RecordSlots(contract.fields.length);
  let count = 0;
  for (const [index, field] of contract.fields.entries()) {
    for (const [number, example] of (field.examples ?? []).entries()) {
      count++;
      slots.clear();
      const bytes = Buffer.from(String(example));
      slots.set(index, kindOf(example), bytes, 0, bytes.length);
      check.check(slots, EXAMPLES_RECEIVED_AT);
      const violation = check.result.violations.find(({ pointer }) => pointer === field.pointer);
      if (violation) file.fault([...(fieldPlaces[index] ?? []), 'examples', number], `the example breaks the contract itself: ${violation.message}`);
    }
  }
  return count;
}

function kindOf(example: ExampleValue): ValueKind {
  if (example === null) return ValueKind.null;
  return typeof example === 'string' ? ValueKind.text : typeof example === 'number' ? ValueKind.number : ValueKind.boolean;
}
