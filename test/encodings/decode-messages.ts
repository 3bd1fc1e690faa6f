import type { MessageDecoder, MessageOptions, SchemaSource, WriterSchema } from '../../src/encodings/messages.ts';
import { openMessageDecoder } from '../../src/encodings/open-message-decoder.ts';
import { readSlots, type SeenRecord } from './decode-all.ts';

export interface SeenMessages {
  /** One for each message: a record, or what it was refused for. */
  readonly outcomes: readonly (SeenRecord | { readonly code: string; readonly message: string; readonly raw: Uint8Array })[];
  /** Of the records. */
  readonly raws: readonly Uint8Array[];
  readonly unknownFields: Readonly<Record<string, number>>;
}

/** Prepares and pushes messages, and holds the decoder to the promises of its port. */
export async function decodeMessages(options: MessageOptions, values: readonly Uint8Array[], firstNumber = 0): Promise<SeenMessages> {
  const outcomes: SeenMessages['outcomes'][number][] = [];
  const raws: Uint8Array[] = [];
  let number = firstNumber;
  const expectNext = (recordNumber: number): void => {
    if (recordNumber !== number) throw new Error(`record ${recordNumber} came of message ${number}`);
  };
  const decoder: MessageDecoder = openMessageDecoder(options, {
    record: (slots) => {
      expectNext(slots.recordNumber);
      outcomes.push(readSlots(slots, options.fields));
      raws.push(new Uint8Array(decoder.currentRaw()));
      if (decoder.resumePoint().recordNumber !== number) throw new Error('the record has another place');
    },
    malformed: ({ code, recordNumber, message, raw }) => {
      expectNext(recordNumber);
      outcomes.push({ code, message, raw });
    },
  });
  await decoder.prepare(values);
  for (const value of values) {
    // A buffer of its own: what is kept as a view of it is found out by what overwrites it.
    const message = Buffer.from(value);
    decoder.push(message, number);
    message.fill(0x5a);
    number++;
    if (outcomes.length !== number - firstNumber) throw new Error(`message ${number - 1} gave ${outcomes.length - number + firstNumber + 1} outcomes`);
  }
  return { outcomes, raws, unknownFields: Object.fromEntries(decoder.unknownFields) };
}

/** Schemas by ids from 1 on. */
export function schemasOf(...schemas: readonly (unknown | WriterSchema)[]): SchemaSource & { readonly asked: number[] } {
  const known = schemas.map(
    (schema): WriterSchema => (isWriterSchema(schema) ? schema : { format: 'AVRO', text: typeof schema === 'string' ? schema : JSON.stringify(schema) }),
  );
  const asked: number[] = [];
  return {
    asked,
    byId: async (id) => {
      asked.push(id);
      return known[id - 1];
    },
    candidates: async () => known,
  };
}

export function confluentMessage(id: number, record: Uint8Array): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(id, 1);
  return Buffer.concat([frame, record]);
}

function isWriterSchema(schema: unknown): schema is WriterSchema {
  return typeof schema === 'object' && schema !== null && 'format' in schema && 'text' in schema;
}
