/**
 * `npm audit` that fails on findings, and only on those. Behind a firewall or a mirror the registry may not answer the
 * question at all: that is said, and is no finding.
 */
import { spawnSync } from 'node:child_process';

interface AuditReport {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
  readonly error?: { readonly summary?: string; readonly code?: string };
  readonly message?: string;
}

const run = spawnSync('npm', ['audit', '--json', '--audit-level=moderate'], { encoding: 'utf8', shell: process.platform === 'win32' });
const report = parseReport(run.stdout);
const found = report?.metadata?.vulnerabilities;

if (found === undefined) {
  const reason = report?.error?.summary || report?.message || run.stderr.trim().split('\n').at(-1) || 'no answer';
  console.warn(`audit: skipped, the registry did not answer the audit request (${reason})`);
} else {
  const serious = ['moderate', 'high', 'critical'].filter((level) => (found[level] ?? 0) > 0);
  console.log(`audit: ${serious.length === 0 ? 'no findings' : serious.map((level) => `${found[level]} ${level}`).join(', ')}`);
  if (serious.length > 0) {
    console.error('Run `npm audit` for the packages, and `npm audit fix` or an override in package.json to replace them.');
    process.exitCode = 1;
  }
}

function parseReport(text: string): AuditReport | undefined {
  try {
    return JSON.parse(text) as AuditReport;
  } catch {
    return undefined;
  }
}
