const HIDDEN = '[hidden]';

/**
 * A text for the log without what may not stand there: tokens, query strings, ids of users. What is logged is made of names and figures
 * to begin with; this is for messages of other libraries, which quote what they stumbled over.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`)
    .replace(/\?[^\s"'<>?]*=[^\s"'<>]*/g, `?${HIDDEN}`)
    .replace(/(\buser_?id\\?["']?\s*[:=]\s*\\?["']?)[^\s"',}&\\]+/gi, `$1${HIDDEN}`);
}
