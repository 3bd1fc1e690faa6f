import { AdvertiseXError } from '../../domain/errors.ts';
import type { CommandDefinition } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { checkEnvironment, type Finding } from '../environment-checks.ts';
import { contractsFolder, withInstance } from '../with-instance.ts';

export const doctor: CommandDefinition = {
  name: 'doctor',
  summary: 'look for what could keep AdvertiseX from working here',
  description: 'Checks the machine, the settings, the contracts, and the data. Exits with 1 when something would keep a command from working.',
  examples: ['advertisex doctor'],

  async run(context) {
    const findings = checkEnvironment(context.dataDirectory, context.settings);
    // With wrong settings nothing further can be opened.
    if (findings.every(({ state }) => state !== 'problem')) findings.push(await checkContractsInUse(context), await checkData(context));
    await context.output.table({
      columns: [
        { name: 'check', kind: 'text' },
        { name: 'state', kind: 'text' },
        { name: 'detail', kind: 'text' },
      ],
      rows: findings.map(({ check, state, detail }) => [check, state, detail]),
    });
    return findings.some(({ state }) => state === 'problem') ? 1 : 0;
  },
};

async function checkContractsInUse(context: CommandContext): Promise<Finding> {
  const folder = contractsFolder(context);
  return attempt('contracts', async () => {
    const { checkContracts } = await import('../../contracts/check-contracts.ts');
    const { contracts, faults, valid } = await checkContracts(folder);
    const count = faults.length + contracts.reduce((sum, contract) => sum + contract.faults.length, 0);
    return valid ? { state: 'ok', detail: `${contracts.length} in ${folder}` } : { state: 'problem', detail: `${count} faults: advertisex contract check` };
  });
}

async function checkData(context: CommandContext): Promise<Finding> {
  return attempt('data', () =>
    withInstance(context, 'doctor', 'read', async (instance) => {
      const app = await import('../../app/status.ts');
      const { batches, filesInProgress } = await app.status(instance);
      const open = filesInProgress.length === 0 ? '' : `; ${filesInProgress.length} files are taken in part: run their ingest again`;
      return { state: open === '' ? 'ok' : 'warning', detail: `can be read, ${batches} batches${open}` };
    }),
  );
}

async function attempt(check: string, look: () => Promise<Omit<Finding, 'check'>>): Promise<Finding> {
  try {
    return { check, ...(await look()) };
  } catch (error) {
    if (!(error instanceof AdvertiseXError)) throw error;
    // Nothing there yet, and someone at work there, are both as they should be.
    const state = error.code === 'not_found' ? 'ok' : error.code === 'data_locked' ? 'warning' : 'problem';
    return { check, state, detail: `${error.message.replaceAll('\n', '; ')}${state === 'ok' ? '' : `. ${error.remedy}`}` };
  }
}
