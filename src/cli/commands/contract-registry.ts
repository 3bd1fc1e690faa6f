import type { ContractsReport } from '../../contracts/check-contracts.ts';
import { EVENT_FEEDS, type Feed } from '../../domain/feeds.ts';
import type { ExitCode } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { FeedSubject } from '../option-values.ts';

/** Contracts that are valid, beside what is registered for their topics. */
export async function checkAgainstRegistry(context: CommandContext, report: ContractsReport, named: readonly FeedSubject[]): Promise<ExitCode> {
  const { loadContracts } = await import('../../contracts/load-contract.ts');
  const { openRegistry, subjectOf } = await import('../../app/open-registry.ts');
  const { checkRegistry } = await import('../../app/check-registry.ts');
  const contracts = [...(await loadContracts(report.dir)).values()];
  // Those of the topics that are consumed, else of topics called as their feeds, unless another one is named.
  const { topics } = context.settings().sources;
  const subjects = new Map<Feed, string>(EVENT_FEEDS.map((feed) => [feed, subjectOf(topics.find((topic) => topic.feed === feed)?.topic ?? feed)]));
  for (const { feed, subject } of named) subjects.set(feed, subject);
  const registry = openRegistry(context.settings().registry);
  const close = (): void => registry.close();
  context.signal.addEventListener('abort', close);
  try {
    const checked = await checkRegistry(registry, contracts, subjects);
    await context.output.one(
      { ...report, subjects: checked },
      {
        columns: [
          { name: 'feed', kind: 'text' },
          { name: 'subject', kind: 'text' },
          { name: 'version', kind: 'count' },
          { name: 'breaks', kind: 'count' },
          { name: 'notes', kind: 'count' },
        ],
        rows: checked.map(({ feed, subject, version, findings }) => {
          const breaks = findings.filter((finding) => finding.breaks).length;
          return [feed, subject, version, breaks, findings.length - breaks];
        }),
      },
    );
    if (context.output.format === 'table') {
      if (checked.some(({ findings }) => findings.length > 0)) await context.output.text('\n');
      for (const { feed, findings } of checked) {
        for (const { field, breaks, message } of findings)
          await context.output.text(`${feed}${field === '' ? '' : `: ${field}`}: ${breaks ? 'breaks: ' : ''}${message}\n`);
      }
    }
    return checked.some(({ findings }) => findings.some(({ breaks }) => breaks)) ? 1 : 0;
  } finally {
    context.signal.removeEventListener('abort', close);
    registry.close();
  }
}
