import { AdvertiseXError } from '../../domain/errors.ts';
import { areCompressed, openDecompressed } from '../../encodings/open-stream.ts';

/**
 * The bytes of a body that may be gzip or zstd, told by how it begins, as files are; at most so many. `hold` is told of each piece before it is
 * kept, and throws where there is no memory for it: a few kilobytes may become a thousand times as many, and many bodies may come at once.
 */
export async function decompressBody(body: Uint8Array, maxBytes: number, hold: (bytes: number) => void = () => undefined): Promise<Uint8Array> {
  // What is not compressed is the body itself, and what most senders send.
  if (body.length <= maxBytes && !areCompressed(body)) return body;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of openDecompressed(once(body), '', () => once(body))) {
    if ('damage' in piece) throw new AdvertiseXError('body_damaged', piece.damage.replace(/\.$/, ''), 'Compress it anew, and send it whole.');
    length += piece.length;
    if (length > maxBytes) {
      throw new AdvertiseXError(
        'body_too_large',
        `It holds more than ${maxBytes} bytes once it is decompressed`,
        'Send its records in several smaller requests.',
      );
    }
    hold(piece.length);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
