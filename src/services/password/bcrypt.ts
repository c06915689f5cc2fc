import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BcryptQuestion } from './bcrypt-worker.ts';

/** The most that we verify (S6): each step doubles the work, and 14 is about a second. */
export const BCRYPT_MAXIMUM_COST = 14;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const MINIMUM_COST = 4;
const IDLE_MS = 10_000;

/** The cost of a bcrypt hash (`$2a$`, `$2b$`, `$2y$`), null for anything else. */
export function parseBcrypt(hash: string): { cost: number } | null {
  const match = hash.length === 60 ? BCRYPT.exec(hash) : null;
  const cost = Number(match?.[1]);
  return match && cost >= MINIMUM_COST && cost <= 31 ? { cost } : null;
}

/** Verifies bcrypt hashes beside the event loop. */
export interface BcryptVerifier {
  /**
   * Of the password the first 72 bytes decide, as they did in accounts-js (S2). The hash must be one that
   * `parseBcrypt` knows. Runs as many at once as it is asked.
   */
  verify(password: string, hash: string): Promise<boolean>;
  /** How many threads live. */
  readonly threads: number;
}

interface Thread {
  ask(question: BcryptQuestion): Promise<boolean>;
  end(): void;
}

/**
 * bcryptjs is plain JavaScript: on the main thread its "async" functions hold the event loop for up to 100 ms at a
 * time (S1). So it runs in threads, started when the first imported hash turns up and ended when none has for a while.
 */
export function createBcryptVerifier(): BcryptVerifier {
  const living = new Set<Thread>();
  const idle: Thread[] = [];
  let timer: NodeJS.Timeout | undefined;

  function start(): Thread {
    const thread = startThread((ended) => {
      living.delete(ended);
      if (idle.includes(ended)) idle.splice(idle.indexOf(ended), 1);
    });
    living.add(thread);
    return thread;
  }

  function endIdle(): void {
    for (const thread of idle.splice(0)) thread.end();
  }

  return {
    async verify(password, hash) {
      const thread = idle.pop() ?? start();
      const answer = await thread.ask({ password, hash });
      idle.push(thread);
      clearTimeout(timer);
      timer = setTimeout(endIdle, IDLE_MS).unref();
      return answer;
    },
    get threads() {
      return living.size;
    },
  };
}

/** One worker and its one question at a time. */
function startThread(onExit: (thread: Thread) => void): Thread {
  // The same name beside this file: .ts in a checkout, .js in the package.
  const file = new URL(`./bcrypt-worker${extname(import.meta.url)}`, import.meta.url);
  // Neither the flags nor the environment (with its secrets) of the program are of use to the thread.
  const worker = new Worker(file, { execArgv: [], env: {} });
  let pending: PromiseWithResolvers<boolean> | null = null;
  worker.on('message', (answer) => pending?.resolve(answer === true));
  // Without this listener the thread's end would be the program's.
  worker.on('error', (error) => pending?.reject(error));
  const thread: Thread = {
    end: () => void worker.terminate(),
    ask(question) {
      pending = Promise.withResolvers();
      // While it works it keeps the program alive, otherwise it does not.
      worker.ref();
      worker.postMessage(question);
      return pending.promise.finally(() => worker.unref());
    },
  };
  worker.on('exit', () => {
    pending?.reject(new Error('The bcrypt thread ended before its answer.'));
    onExit(thread);
  });
  return thread;
}
