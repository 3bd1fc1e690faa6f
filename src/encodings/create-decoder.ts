import type { Decoder, DecoderOptions, RecordSink } from './decoder.ts';
import { JsonDecoder } from './json/json-decoder.ts';

export function createDecoder(options: DecoderOptions, sink: RecordSink): Decoder {
  switch (options.encoding) {
    case 'json':
      return new JsonDecoder(options, sink);
    default:
      throw new Error(`no decoder for ${options.encoding}`);
  }
}
