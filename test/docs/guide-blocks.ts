/** A fenced block of a guide: what a reader is told to run, or to write. */
export interface GuideBlock {
  readonly language: string;
  readonly text: string;
  /** `yaml add-to=contracts/users.odcs.yaml`: the reader adds it to the end of this file. */
  readonly addTo?: string;
  /** `sql may-be-empty`: on the demo's data the query may find nothing. */
  readonly mayBeEmpty: boolean;
}

export function readBlocks(page: string): GuideBlock[] {
  return [...page.matchAll(/^```(\w+)(?: add-to=(\S+)| (may-be-empty))?\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    text: match[4] ?? '',
    mayBeEmpty: match[3] !== undefined,
    ...(match[2] === undefined ? {} : { addTo: match[2] }),
  }));
}
