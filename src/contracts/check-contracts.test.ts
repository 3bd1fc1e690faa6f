import { cp, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FEEDS } from '../domain/feeds.ts';
import { checkContracts } from './check-contracts.ts';
import { formatFault } from './contract-file.ts';

const SHIPPED = join(import.meta.dirname, '..', '..', 'contracts');

describe('checkContracts', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'contracts-'));
    await cp(SHIPPED, dir, { recursive: true });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function edit(feed: string, from: string, to: string): Promise<void> {
    const path = join(dir, `${feed}.odcs.yaml`);
    const content = await readFile(path, 'utf8');
    expect(content).toContain(from);
    await writeFile(
      path,
      content.replace(from, () => to),
    );
  }

  async function faults(): Promise<string[]> {
    const report = await checkContracts(dir);
    const all = [...report.faults, ...report.contracts.flatMap((contract) => contract.faults)];
    expect(report.valid).toBe(all.length === 0);
    return all.map((fault) => formatFault(fault).replaceAll(`${dir}/`, '').replaceAll(dir, '.'));
  }

  test('the shipped contracts are right, examples included', async () => {
    const report = await checkContracts(SHIPPED);
    expect(report.valid).toBe(true);
    expect(report.contracts.map(({ feed }) => feed).sort()).toEqual([...FEEDS].sort());
    for (const contract of report.contracts) {
      expect(contract.version).toBe('1.0.0');
      expect(contract.examples).toBeGreaterThanOrEqual(contract.fields);
    }
  });

  test.each([
    [
      'users',
      'examples: [25-34]',
      `examples: [25-34, '${'x'.repeat(33)}']`,
      `users.odcs.yaml:42: age, examples[1]: the example breaks the contract itself: age has more than 32 characters: "${'x'.repeat(33)}"`,
    ],
    [
      'ad-impressions',
      "[2.5, '0.004321']",
      '[2.5, -1]',
      'ad-impressions.odcs.yaml:99: price, examples[1]: the example breaks the contract itself: price must not be negative: "-1"',
    ],
    [
      'ad-impressions',
      'examples: [mobile]',
      'examples: [phone]',
      /device_type, examples\[0\]: .* must be one of desktop, mobile, tablet, ctv, other, not "phone"/,
    ],
    ['creatives', "examples: ['2026-03-01T00:00:00Z']", 'examples: [tomorrow]', /valid_from, examples\[0\]: .* must be an RFC 3339 time/],
    ['bid-requests', 'examples: [1.75]', 'examples: [null]', /auction\.amount, examples\[0\]: .* is required but is empty/],
    ['bid-requests', 'examples: [1.75]', 'examples: [true]', /auction\.amount, examples\[0\]: .* not a boolean/],
  ])('%s: an example that breaks its own field: %s → %s', async (feed, from, to, expected) => {
    await edit(feed, from, to);
    expect(await faults()).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  test('every fault of every file is listed, not only the first', async () => {
    await edit('users', 'value: id', 'value: text');
    await edit('users', '- name: segment', '- name: cohort');
    await edit('campaigns', 'logicalType: string', 'logicalType: text');
    expect(await faults()).toEqual([
      expect.stringMatching(/^campaigns\.odcs\.yaml:25: campaign_id, logicalType: /),
      expect.stringMatching(/^users\.odcs\.yaml:\d+: user_id: expected fieldType id/),
      expect.stringMatching(/^users\.odcs\.yaml:\d+: schema\[0\]\.properties: the field for the column segment/),
    ]);
  });

  test('a feed without a contract, or with two, is a fault of the folder', async () => {
    await unlink(join(dir, 'users.odcs.yaml'));
    await cp(join(dir, 'campaigns.odcs.yaml'), join(dir, 'more.odcs.yaml'));
    expect(await faults()).toEqual([
      '.:1: campaigns: expected one contract for this feed, not 2: campaigns.odcs.yaml, more.odcs.yaml',
      '.:1: users: expected a contract for this feed (users.odcs.yaml)',
    ]);
  });

  test('a file that cannot be parsed is reported beside the others', async () => {
    await writeFile(join(dir, 'users.odcs.yaml'), 'apiVersion: [');
    const report = await checkContracts(dir);
    expect(report.contracts.map(({ feed }) => feed)).toContain('campaigns');
    expect(report.contracts.find(({ path }) => path.endsWith('users.odcs.yaml'))).toMatchObject({
      feed: undefined,
      version: undefined,
      fields: 0,
      examples: 0,
    });
    expect((await faults())[0]).toMatch(/^users\.odcs\.yaml:1: is not valid YAML: /);
    expect(report.valid).toBe(false);
  });
});
