import type { CommandDefinition } from '../command.ts';
import { checkEnvironment } from '../environment-checks.ts';

export const doctor: CommandDefinition = {
  name: 'doctor',
  summary: 'look for what could keep AdvertiseX from working here',
  description: 'Checks the machine, the settings, and the data directory. Exits with 1 when something would keep a command from working.',
  examples: ['advertisex doctor'],

  async run(context) {
    const findings = checkEnvironment(context.dataDirectory, context.settings);
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
