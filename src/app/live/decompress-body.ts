import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { AdvertiseXError } from '../../domain/errors.ts';

const decompressors = {
  gzip: { starts: [0x1f, 0x8b], decompress: promisify(gunzip) },
  zstd: { starts: [0x28, 0xb5, 0x2f, 0xfd], decompress: promisify(zstdDecompress) },
};

/** The bytes of a body that may be gzip or zstd, told by how it begins; at most so many. */
export async function decompressBody(body: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  for (const [name, { starts, decompress }] of Object.entries(decompressors)) {
    if (starts.some((byte, index) => body[index] !== byte)) continue;
    try {
      return await decompress(body, { maxOutputLength: maxBytes });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, cause);
      throw new AdvertiseXError('body_damaged', `The ${name} data does not decompress: ${(cause as Error).message}`, 'Send it again, whole.', cause);
    }
  }
  if (body.length > maxBytes) throw tooLarge(maxBytes);
  return body;
}

function tooLarge(maxBytes: number, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError(
    'body_too_large',
    `It holds more than ${maxBytes} bytes once it is decompressed`,
    'Send its records in several smaller requests.',
    cause,
  );
}
