/**
 * What `models/*.sql` calls and each engine defines its own way. Only constants and expressions: a macro never reads a table.
 */
export const MACROS: readonly string[] = [
  "this_batch() as getvariable('this_batch')",
  "this_cause() as getvariable('this_cause')",
  "as_of() as coalesce(cast(getvariable('as_of') as bigint), 9223372036854775807)",
  // Where the identities of this batch go; from which run on all of them are searched; the run that gets its filter.
  "this_run() as getvariable('this_run')",
  "searched_from() as getvariable('searched_from')",
  "filtered_run() as getvariable('filtered_run')",
  // The leading 14 bits of a hash, and its trailing 32.
  'key_slot(h) as h >> 50',
  'key_fingerprint(h) as cast((h & 4294967295) - 2147483648 as integer)',
  // Set for a rebuild alone; NULL otherwise, and then no row is at or after it.
  "rebuild_from() as cast(getvariable('rebuild_from') as timestamp)",
  // From when on clicks, their matches, and conversions can be judged again: what that takes is still kept.
  "clicks_settled_from() as coalesce(cast(getvariable('clicks_settled_from') as timestamp), make_timestamp(0))",
  "matches_settled_from() as coalesce(cast(getvariable('matches_settled_from') as timestamp), make_timestamp(0))",
  "conversions_settled_from() as coalesce(cast(getvariable('conversions_settled_from') as timestamp), make_timestamp(0))",
  // Times as integers, because every rule about time is one about integer differences.
  'micros(t) as epoch_us(t)',
  'from_micros(us) as make_timestamp(us)',
  // A hash of an id that has nothing to do with the one that is stored of it, and that all engines have: the second half of its MD5.
  'user_check(id) as cast(cast(md5_number_lower(id) as hugeint) - 9223372036854775808 as bigint)',
  // Of two integers that are not negative.
  'int_div(a, b) as a // b',
  'shift_right(a, bits) as a >> bits',
  'ratio(a, b) as case when b <> 0 then cast(a as double) / cast(b as double) end',
  // 10⁻¹² currency units, exact. CPM: each impression's own price, the campaign's rate for those without one;
  // without a pricing model nobody knows what the rate is the price of. NULL: no source.
  `spend_e12(pricing_model, rate_micros, cost_cpm_micros, valid_impressions, priced_impressions, valid_clicks, conversions_ppm) as
    case coalesce(pricing_model, 'cpm')
      when 'cpc' then cast(rate_micros as decimal(38, 0)) * valid_clicks * 1000000
      when 'cpa' then cast(rate_micros as decimal(38, 0)) * conversions_ppm
      else case when priced_impressions = 0 and (rate_micros is null or pricing_model is null) then null
                else cast(cost_cpm_micros as decimal(38, 0)) * 1000
                     + case when pricing_model is null then 0 else cast(coalesce(rate_micros, 0) as decimal(38, 0)) end * (valid_impressions - priced_impressions) * 1000 end
    end`,
  // Fails, with a message that `failures.ts` knows. As this is looked at only where a row is refused, it may stand in a CASE alone.
  "refuse_folded(first_batch, last_batch) as error('as of a folded batch: ' || first_batch || ' to ' || last_batch)",
  // A third of the time of taking the dashes out of its text.
  'key_text(k) as lower(hex(cast(k as blob)))',
];
