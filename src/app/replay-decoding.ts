import type { Settings } from '../config/settings.ts';
import type { ContractCheck } from '../contracts/contract.ts';
import type { Encoding } from '../domain/feeds.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { MessageDecoder } from '../encodings/messages.ts';
import { openMessageDecoder } from '../encodings/open-message-decoder.ts';
import type { RecordSlots } from '../encodings/record-slots.ts';
import type { RecordReceiver } from '../ingest/record-receiver.ts';
import { openRegistry } from './open-registry.ts';

/** A record as quarantine keeps it. */
export interface KeptRecord {
  readonly raw: Uint8Array;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly position: bigint;
}

/**
 * Decodes records that were in quarantine: documents of one record each, and Avro messages that did not decode, which are kept as they
 * came and name a schema of the registry, that may be there by now.
 */
export class ReplayDecoding {
  private readonly check: ContractCheck;
  private readonly receiver: RecordReceiver;
  private readonly maxRecordBytes: number;
  private messages: MessageDecoder | undefined;

  constructor(check: ContractCheck, receiver: RecordReceiver, maxRecordBytes: number) {
    this.check = check;
    this.receiver = receiver;
    this.maxRecordBytes = maxRecordBytes;
  }

  /** Throws where the registry is needed and does not answer. */
  async prepare(rows: readonly KeptRecord[], registrySettings: Settings['registry']): Promise<void> {
    const messages = rows.filter(isMessage).map(({ raw }) => raw);
    if (messages.length === 0 || registrySettings.url === undefined) return;
    const registry = openRegistry(registrySettings);
    const { check, receiver, maxRecordBytes } = this;
    try {
      this.messages = openMessageDecoder({ encoding: 'avro', framing: 'confluent', schemas: registry, fields: check.paths, maxRecordBytes }, receiver);
      await this.messages.prepare(messages);
    } finally {
      registry.close();
    }
  }

  /** Gives the receiver one record, good or bad. False for bytes that hold none at all (a damaged container's), or that nobody can read now. */
  decode(row: KeptRecord): boolean {
    const position = Number(row.position);
    if (isMessage(row)) return this.decodeMessage(row, position);
    if (row.encoding === 'avro' || !holdsSeveral(row, this.maxRecordBytes)) return this.decodeDocument(row, position);
    // A message that did not decode for that very reason: taking the first would lose the others.
    this.receiver.malformed({ code: 'malformed', recordNumber: position, message: 'It holds more than one record.', raw: row.raw });
    return true;
  }

  /** Without a registry it stays where it is. */
  private decodeMessage({ raw }: KeptRecord, position: number): boolean {
    if (this.messages === undefined) return false;
    this.receiver.decoder = this.messages;
    this.messages.push(raw, position);
    return true;
  }

  private decodeDocument({ raw, encoding, delimiter }: KeptRecord, position: number): boolean {
    const { receiver } = this;
    let isReported = false;
    const decoder = createDecoder(
      { encoding, fields: this.check.paths, maxRecordBytes: this.maxRecordBytes, delimiter },
      {
        record: (slots: RecordSlots) => {
          if (isReported) return;
          isReported = true;
          slots.recordNumber = position;
          receiver.record(slots);
        },
        malformed: (problem) => {
          if (isReported) return;
          isReported = true;
          receiver.malformed({ ...problem, recordNumber: position });
        },
      },
    );
    receiver.decoder = decoder;
    decoder.push(raw);
    decoder.end();
    return isReported;
  }
}

/** In Confluent's framing; a container file starts otherwise. */
function isMessage({ raw, encoding }: KeptRecord): boolean {
  return encoding === 'avro' && raw[0] === 0;
}

function holdsSeveral({ raw, encoding, delimiter }: KeptRecord, maxRecordBytes: number): boolean {
  let outcomes = 0;
  const count = (): void => void outcomes++;
  const decoder = createDecoder({ encoding, fields: [], maxRecordBytes, delimiter }, { record: count, malformed: count });
  decoder.push(raw);
  decoder.end();
  return outcomes > 1;
}
