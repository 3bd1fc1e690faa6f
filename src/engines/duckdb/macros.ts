/**
 * What `models/*.sql` calls and each engine defines its own way. Only constants and expressions: a macro never reads a table.
 */
export const MACROS: readonly string[] = [
  "this_batch() as getvariable('this_batch')",
  "this_cause() as getvariable('this_cause')",
  "as_of() as coalesce(cast(getvariable('as_of') as bigint), 9223372036854775807)",
  // Set for a rebuild alone; NULL otherwise, and then no row is at or after it.
  "rebuild_from() as cast(getvariable('rebuild_from') as timestamp)",
  // Times as integers, because every rule about time is one about integer differences.
  'micros(t) as epoch_us(t)',
  'from_micros(us) as make_timestamp(us)',
  // Of two integers that are not negative.
  'int_div(a, b) as a // b',
  'shift_right(a, bits) as a >> bits',
  'ratio(a, b) as case when b <> 0 then cast(a as double) / cast(b as double) end',
  "key_text(k) as replace(cast(k as varchar), '-', '')",
];
