import { AvroDecoder } from './avro/avro-decoder.ts';
import { CsvDecoder } from './csv/csv-decoder.ts';
import type { Decoder, DecoderOptions, RecordSink } from './decoder.ts';
import { JsonDecoder } from './json/json-decoder.ts';

/** The decoder of an encoding: what it promises stands at `Decoder`. */
export function createDecoder(options: DecoderOptions, sink: RecordSink): Decoder {
  switch (options.encoding) {
    case 'json':
      return new JsonDecoder(options, sink);
    case 'csv':
      return new CsvDecoder(options, sink);
    case 'avro':
      return new AvroDecoder(options, sink);
  }
}
