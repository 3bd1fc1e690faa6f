import type { OrderedRows } from './row-pages.ts';

/** The books of an instance, the newest first. */
export const BOOK_LISTS = {
  batches: {
    columns: ['batch_id', 'cause', 'committed_at', 'received', 'accepted', 'duplicate', 'quarantined', 'restated'],
    from: 'ops.batches',
    key: [{ column: 'batch_id', type: 'bigint', order: 'desc' }],
  },
  ledger: {
    columns: ['batch_id', 'hour', 'feed', 'source', 'received', 'accepted', 'duplicate', 'quarantined'],
    from: 'ops.ledger',
    key: [
      { column: 'batch_id', type: 'bigint', order: 'desc' },
      { column: 'hour', type: 'timestamp', order: 'desc' },
      { column: 'feed', type: 'varchar', order: 'asc' },
      { column: 'source', type: 'varchar', order: 'asc' },
    ],
  },
  restatements: {
    columns: ['batch_id', 'table_name', 'row_key', 'since_batch', 'cause'],
    from: 'ops.restatements',
    key: [
      { column: 'batch_id', type: 'bigint', order: 'desc' },
      { column: 'table_name', type: 'varchar', order: 'asc' },
      { column: 'row_key', type: 'varchar', order: 'asc' },
      { column: 'since_batch', type: 'bigint', order: 'desc' },
    ],
  },
  files: {
    columns: [
      ...['path', 'feed', 'sha256', 'encoding', 'bytes', 'records', 'accepted', 'duplicate', 'quarantined'],
      ...['done', 'complete', 'received_at', 'batch_id', 'version'],
    ],
    from: 'ops.files',
    key: [
      { column: 'received_at', type: 'timestamp', order: 'desc' },
      { column: 'path', type: 'varchar', order: 'asc' },
      { column: 'feed', type: 'varchar', order: 'asc' },
      { column: 'sha256', type: 'varchar', order: 'asc' },
    ],
  },
} as const satisfies Readonly<Record<string, OrderedRows>>;

export type BookList = keyof typeof BOOK_LISTS;
