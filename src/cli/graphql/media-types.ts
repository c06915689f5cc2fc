import type { Refusal } from './operations.ts';

/** A way to write a result down: as GraphQL over HTTP has it, GraphQL over SSE, or incremental delivery. */
interface MediaType {
  name: string;
  /** The whole value of the header. */
  contentType: string;
  write(json: string): string;
}

export const JSON_RESPONSE = plain('application/json');
const GRAPHQL_RESPONSE = plain('application/graphql-response+json');
const PLAIN = [JSON_RESPONSE, GRAPHQL_RESPONSE];

/** For clients that take nothing else. There is one result, so these end with it. */
const FRAMED: readonly MediaType[] = [
  {
    name: 'text/event-stream',
    contentType: 'text/event-stream',
    write: (json) => `event: next\ndata: ${json}\n\nevent: complete\ndata:\n\n`,
  },
  {
    name: 'multipart/mixed',
    contentType: 'multipart/mixed; boundary="-"',
    write: (json) => `\r\n---\r\nContent-Type: ${JSON_RESPONSE.contentType}\r\n\r\n${json}\r\n-----\r\n`,
  },
];

function plain(name: string): MediaType {
  return { name, contentType: `${name}; charset=utf-8`, write: (json) => json };
}

/**
 * Of the two types of plain JSON the one that the client names first, else one that it takes; `application/json` for
 * any type, and where it says nothing. Null where there is none. Weights (`q`) are not looked at, as clients list what
 * they want first. `json` leaves it nothing but plain JSON.
 */
export function mediaTypeFor(accept = '', only?: 'json'): MediaType | null {
  if (accept === '' || accept === '*/*' || accept === 'application/json') return JSON_RESPONSE;
  const ranges = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()))
    .filter(([, ...parameters]) => parameters.every(isNoOtherCharset))
    .map(([range = '']) => range);
  const first = (types: readonly MediaType[]): MediaType | undefined =>
    ranges.flatMap((range) => types.find(({ name }) => isWithin(range, name)) ?? [])[0];
  return first(PLAIN) ?? (only ? null : (first(FRAMED) ?? null));
}

function isNoOtherCharset(parameter: string): boolean {
  return !parameter.startsWith('charset=') || parameter === 'charset=utf-8';
}

function isWithin(range: string, name: string): boolean {
  return range === name || range === '*/*' || range === `${name.split('/', 1)[0]}/*`;
}

const STATUS: Record<Refusal, number> = { document: 400, request: 400, method: 405, failure: 500 };

/**
 * The status of an answer (GraphQL over HTTP, 6.4). Only the newer type tells by it of a wrong document: to clients
 * that ask for another one, everything but 200 says that it was not GraphQL that answered.
 */
export function statusOf(refused: Refusal | null, mediaType: MediaType): number {
  if (refused === null || (refused === 'document' && mediaType !== GRAPHQL_RESPONSE)) return 200;
  return STATUS[refused];
}
