/** What `advertisex_alerts_firing` may say, and what it means: docs/reference/metrics.md is made from it. */
export const ALERT_RULES = {
  failing: 'What was taken cannot be applied, or not be read again from the log; it is tried again and again',
  behind: 'So much waits to be applied that senders are asked to come back',
  disk_low: 'The disk of the data directory fills up: before it is full, records are refused',
  disk_full: 'There is so little room on the disk that records are refused',
  archive_failing: 'What is in the tables cannot be put into the raw archive: the log keeps it, and grows; it is tried again and again',
  stopping: 'The process is asked to stop, and commits what it took',
  reconciliation_broken: 'An equation that must always hold was found broken when it was checked last',
} as const;

export type AlertRule = keyof typeof ALERT_RULES;
