const OPENING = '<!-- transcript: made by `npm run transcript` from a real run -->';
const CLOSING = '<!-- /transcript -->';
const BLOCK = new RegExp(`${literally(OPENING)}\\n\`\`\`console\\n([\\s\\S]*?)\`\`\`\\n${literally(CLOSING)}`);

/** A page with another transcript of a command in the place of the one it has. */
export function replaceTranscript(page: string, command: string, printed: string): string {
  if (!BLOCK.test(page)) throw new Error('The page has no place for a transcript');
  const text = `$ ${command}\n${printed.trim()}\n`;
  // As a function: `$&` in what was printed is not a pattern.
  return page.replace(BLOCK, () => `${OPENING}\n\`\`\`console\n${text}\`\`\`\n${CLOSING}`);
}

/** What the page says the command prints. */
export function readTranscript(page: string): string {
  return (BLOCK.exec(page)?.[1] ?? '').replace(/^\$ .*\n/, '');
}

/** A transcript without what differs from run to run and machine to machine: figures, names, how much of each. */
export function transcriptShape(printed: string): string {
  return printed
    .trim()
    .replace(/[\d][\d.,]*/g, '0')
    .replace(/ +/g, ' ');
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
