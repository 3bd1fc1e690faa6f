/** Traffic of which the order cannot matter: one content an identity, and nothing whose meaning hangs on the file around it. */
import { decode, pickFields } from '../reference/decode.ts';
import { FIELDS, type Field, isReferenceFeed, REFERENCE_KEYS } from '../reference/feeds.ts';
import { content, eventKey, eventRow } from '../reference/identity.ts';
import { checkRecord, eventTypeOf } from '../reference/normalise.ts';
import { DEFAULT_SETTINGS } from '../reference/words.ts';
import { renderFile } from './render-files.ts';
import { RECEIVED_AT, type TrafficItem } from './traffic.ts';

export function withoutConflicts(items: readonly TrafficItem[]): TrafficItem[] {
  const contents = new Map<string, string>();
  return items.filter(({ feed, item }) => {
    // What does not decode can swallow its neighbours, or be a row of CSV.
    if ('garbage' in item) return false;
    const fields: readonly Field[] = FIELDS[feed];
    // A column that only other rows of a CSV file have is empty there, and absent in JSON.
    if (fields.some((field) => field.need === 'presence' && !(field.path.join('.') in item.fields))) return false;
    const [decoded] = decode(renderFile([{ item, style: 0 }], 'json', 'none'), 'json', DEFAULT_SETTINGS.limits.record_bytes, fields);
    const { row, violations } = checkRecord(pickFields((decoded as { record: never }).record, fields, 'json')!, feed, DEFAULT_SETTINGS, RECEIVED_AT);
    if (violations.length > 0) return true;
    const type = eventTypeOf(feed, row);
    const key = isReferenceFeed(feed)
      ? `${feed} ${REFERENCE_KEYS[feed].map((column) => String(row[column])).join(' ')}`
      : eventKey(type!, eventRow(type!, row));
    const said = content(type === null ? row : eventRow(type, row));
    if (contents.has(key) && contents.get(key) !== said) return false;
    contents.set(key, said);
    return true;
  });
}
