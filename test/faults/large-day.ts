import { writeFileSync } from 'node:fs';

/** Files of more bytes than this are decoded by workers. */
export const BYTES_FOR_WORKERS = 4_194_304;

/**
 * Impressions number `first` to `end` in a file. Every 97th comes twice, every 501st breaks its contract; whatever file they
 * are in, they are the same.
 */
export function writeImpressions(path: string, first: number, end: number): void {
  const lines: string[] = [];
  for (let n = first; n < end; n++) {
    const time = new Date(Date.UTC(2026, 2, 2) + n * 4_000).toISOString();
    const line = JSON.stringify({
      impression_id: `${'0'.repeat(20)}-${n}`,
      creative_id: `creative-${n % 17}`,
      campaign_id: `campaign-${n % 5}`,
      user_id: `user-${n % 1_009}`,
      timestamp: n % 501 === 500 ? 'yesterday' : time,
      website: `www.site-${n % 31}.example`,
      price: (n % 700) / 100,
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
    });
    lines.push(line);
    if (n % 97 === 96) lines.push(line);
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
}
