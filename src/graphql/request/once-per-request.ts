import { isObject } from '../is-object.ts';
import type { RequestHolder } from './request.ts';

export interface Asked<T> {
  readonly token: string;
  readonly answer: T;
  /** By `performance.now()`. */
  readonly askedAt: number;
}

const asked = new WeakMap<object, Map<string, WeakMap<object, Asked<unknown>>>>();

/**
 * Asks once for each request and token, whoever asks: a plugin that reads the context beside `useAccounts`, as a
 * response cache does, costs no second look-up. And it hears the same: were one of two look-ups to fail, the cache would
 * keep the answer of a user for strangers.
 */
export function oncePerRequest<T>(
  server: object,
  question: string,
  ask: (token: string) => T,
): (token: string, holder: RequestHolder) => Asked<T> {
  const questions = asked.get(server) ?? new Map<string, WeakMap<object, Asked<unknown>>>();
  asked.set(server, questions);
  const known = questions.get(question) ?? new WeakMap<object, Asked<unknown>>();
  questions.set(question, known);
  return (token, { request, req }) => {
    // Some hosts have one request in two forms, and some plugins are given only one of them.
    const requests = [request, req].filter(isObject);
    for (const form of requests) {
      const before = known.get(form);
      if (before?.token === token) return before as Asked<T>;
    }
    const now = { askedAt: performance.now(), token, answer: ask(token) };
    for (const form of requests) known.set(form, now);
    return now;
  };
}
