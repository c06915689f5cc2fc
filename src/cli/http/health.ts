import { within } from '../../core/deadline.ts';
import { SECOND } from '../../core/time.ts';
import { JSON_TYPE } from './error-body.ts';
import { type Handler, respond } from './respond.ts';

/** The age of an answer and the wait for the next are together less than the 3 s within which a failure has to show. */
const FRESH = 0.5 * SECOND;
const DEADLINE = 2 * SECOND;

const HEADERS = { 'content-type': JSON_TYPE, 'cache-control': 'no-store' };

/** Answers 200 while the store does, 503 otherwise. However many ask, the store is asked twice a second at most. */
export function healthCheck(ping: () => Promise<void>): Handler {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<boolean> = Promise.resolve(false);
  return async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return respond(req, res, 405, { allow: 'GET, HEAD' });
    if (performance.now() - asked >= FRESH) {
      asked = performance.now();
      answer = answersInTime(ping);
    }
    const healthy = await answer;
    const body = JSON.stringify({ status: healthy ? 'ok' : 'unavailable' });
    respond(req, res, healthy ? 200 : 503, HEADERS, body);
  };
}

function answersInTime(ping: () => Promise<void>): Promise<boolean> {
  const answered = ping().then(
    () => true,
    () => false,
  );
  return within(DEADLINE, answered, () => false);
}
