import type { LoadOrder, LoadResult } from '../load.ts';
import { emailOf, GET_USER, graphqlRequest, type Tokens } from '../requests.ts';
import type { Sample } from '../result.ts';
import { SESSIONS } from '../world.ts';

/** What is measured together in one round: samples by the id of their figure. */
export interface Measurement {
  /** The names of its figures by their ids. */
  figures: { [id: string]: string };
  /** How often it is done in the round that is not counted. 1 by default. */
  warmUps?: number;
  measure(round: number): Promise<{ [id: string]: Sample }>;
}

/** How much is asked for in a round. */
export interface Size {
  requests: number;
  refreshes: number;
  logins: number;
  seconds: number;
  resolutions: number;
}

export type Order = Omit<LoadOrder, 'ports'>;

const CONNECTIONS = 50;
export const LOGINS_IN_FLIGHT = 20;

export function asks(requests: number, messages: readonly string[], expect: string): Order {
  return { connections: CONNECTIONS, requests: Math.ceil(requests), messages, expect };
}

export function asksForUser(requests: number, tokens: readonly Tokens[]): Order {
  const messages = tokens.map(({ accessToken }) => graphqlRequest(GET_USER, accessToken));
  return asks(requests, messages, '{"data":{"getUser":{"id":"');
}

/** One request for each user. */
export function everybody(requestOf: (email: string) => string): string[] {
  return Array.from({ length: SESSIONS }, (_, n) => requestOf(emailOf(n)));
}

/** A fast wrong answer is no figure. */
export function checked(name: string, result: LoadResult): LoadResult {
  if (result.wrong > 0)
    throw new Error(
      `${name}: ${result.wrong} of ${result.requests} answers are wrong, such as\n${result.example}`,
    );
  return result;
}
