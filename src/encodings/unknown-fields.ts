/** How many names of unknown fields are kept: a hostile source could send a new one in every record. */
export const MAX_UNKNOWN_NAMES = 1000;
/** Longer names are cut here. */
export const MAX_UNKNOWN_NAME_BYTES = 256;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A field name's text, cut to the limit (between characters). */
export function unknownFieldName(bytes: Uint8Array): string {
  if (bytes.length <= MAX_UNKNOWN_NAME_BYTES) return decoder.decode(bytes);
  let end = MAX_UNKNOWN_NAME_BYTES;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return decoder.decode(bytes.subarray(0, end));
}
