import { AvroMessageDecoder } from './avro/message-decoder.ts';
import { CsvMessageDecoder } from './csv/csv-message-decoder.ts';
import type { RecordSink } from './decoder.ts';
import { JsonMessageDecoder } from './json/json-message-decoder.ts';
import type { MessageDecoder, MessageOptions } from './messages.ts';

/** The decoder of messages of one record each: what it promises stands at `MessageDecoder`. */
export function openMessageDecoder(options: MessageOptions, sink: RecordSink): MessageDecoder {
  switch (options.encoding) {
    case 'json':
      return new JsonMessageDecoder(options, sink);
    case 'csv':
      return new CsvMessageDecoder(options, sink);
    case 'avro':
      return new AvroMessageDecoder(options, sink);
  }
}
