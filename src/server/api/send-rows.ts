import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Reading } from '../../app/instance-figures.ts';

export type RowFormat = 'json' | 'csv';

const PIECE_CHARACTERS = 65_536;

/** CSV where the request prefers it; JSON else. */
export function formatOf(request: FastifyRequest): RowFormat {
  const wanted = (request.headers.accept ?? '').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
  });
  const weightOf = (...types: string[]) => wanted.find(({ type }) => types.includes(type))?.weight;
  return (weightOf('text/csv', 'text/*') ?? 0) > (weightOf('application/json', 'application/*', '*/*') ?? 0) ? 'csv' : 'json';
}

/**
 * Sends an answer of any length as it is read, no faster than it is taken. What fails before the first piece is full is a problem
 * document; later on the connection is broken off, so that nobody takes a part for the whole.
 */
export async function sendRows(reply: FastifyReply, parts: AsyncIterable<string>, format: RowFormat, { stop }: Reading): Promise<FastifyReply> {
  reply.type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8');
  const pieces = inPieces(parts);
  const first = await pieces.next();
  const second = first.done === true ? first : await pieces.next();
  if (second.done === true) return reply.send(first.value ?? '');
  const stream = Readable.from(joined([String(first.value), String(second.value)], pieces));
  // It may be over before anybody listens.
  stream.on('error', () => undefined);
  stop.signal.addEventListener('abort', () => stream.destroy(stop.signal.reason), { once: true });
  return reply.send(stream);
}

async function* inPieces(parts: AsyncIterable<string>): AsyncGenerator<string, undefined> {
  let piece = '';
  for await (const part of parts) {
    piece += part;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

async function* joined(first: readonly string[], rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield* first;
  yield* rest;
}
