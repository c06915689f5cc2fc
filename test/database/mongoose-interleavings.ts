import type { Collections } from '../../src/database/mongoose/schema.ts';

/** What one of the parties is going to do next, or why it does nothing. */
type Standing = 'running' | 'asking' | 'waiting' | 'over' | 'dead';

export type Outcome = { result: unknown } | { error: unknown } | null;

/** One who works on the collections, step by step: each operation waits until it is let through. */
class Party {
  standing: Standing = 'running';
  outcome: Outcome = null;
  /** What it has asked and been told: with the documents, all that decides what it does next. */
  history: string[] = [];
  #pass: ((loseAnswer: boolean) => void) | null = null;
  #turn: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Resolves when it has come to its next operation, waits for others, or has ended. */
  async halted(): Promise<void> {
    while (this.standing === 'running') await this.#turn.promise;
  }

  #halt(standing: Standing): void {
    this.standing = standing;
    this.#turn.resolve();
    this.#turn = Promise.withResolvers();
  }

  begin(work: () => Promise<unknown>): void {
    work().then(
      (result) => {
        this.outcome = { result };
        this.#halt('over');
      },
      (error: unknown) => {
        this.outcome = { error };
        this.#halt('over');
      },
    );
  }

  /** Lets one operation through, or wakes it; its answer may be lost on the way back. */
  async step(loseAnswer = false): Promise<void> {
    this.standing = 'running';
    this.#pass?.(loseAnswer);
    await this.halted();
  }

  async gate<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const passed = new Promise<boolean>((resolve) => {
      this.#pass = resolve;
    });
    this.#halt('asking');
    const loseAnswer = await passed;
    const answer = await operation().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (loseAnswer) {
      this.history.push(`${name}: lost`);
      throw new Error('the connection was lost');
    }
    this.history.push(`${name}: ${JSON.stringify('error' in answer ? 'refused' : answer.value)}`);
    if ('error' in answer) throw answer.error;
    return answer.value;
  }

  async wait(): Promise<void> {
    // It will look again at what it has just seen: as if it had not looked.
    this.history.splice(-3);
    const passed = new Promise<void>((resolve) => {
      this.#pass = () => resolve();
    });
    this.#halt('waiting');
    await passed;
  }

  /** The collections, with a gate before each operation. */
  through(collections: Collections): Collections {
    const gated = <C extends object>(collection: C, of: string): C =>
      new Proxy(collection, {
        get: (target, method) => {
          const value: unknown = Reflect.get(target, method);
          if (typeof value !== 'function') return value;
          const name = `${of}.${String(method)}`;
          if (method === 'find')
            return (...args: unknown[]) => ({
              toArray: () => this.gate(name, () => value.apply(target, args).toArray()),
            });
          return (...args: unknown[]) => this.gate(name, () => value.apply(target, args));
        },
      });
    return {
      ...collections,
      users: gated(collections.users, 'users'),
      identities: gated(collections.identities, 'identities'),
    };
  }
}

export interface Play {
  parties: readonly [Party, Party];
  /** What each of them does. */
  begin(): void;
  /** Lets 5 s pass. */
  passTime(): void;
  /** All documents of this play. */
  documents(): Promise<unknown>;
  /** A text with the same names in every play. */
  anonymous(text: string): string;
  /** Throws when what the parties have brought about is wrong. */
  check(events: readonly Choice[]): Promise<void>;
}

/**
 * `0` and `1`: that party does its next step. `kill` ends the process of the first for good, `lose` does its next step
 * and loses the answer, `late` lets the second think that the first is dead, which is only slow.
 */
export type Choice = 0 | 1 | 'kill' | 'lose' | 'late';

export const newParty = (): Party => new Party();

/**
 * Plays every interleaving of two parties, with every crash, lost answer and delay of the first. Plays that have come to
 * the same documents and the same knowledge go on in the same way: only one of them does. How many different moments
 * there were.
 */
export async function playAll(start: () => Play, atOnce = 16): Promise<number> {
  const prefixes: Choice[][] = [[]];
  const seen = new Set<string>();
  const playOne = async (prefix: readonly Choice[]): Promise<void> => {
    const play = start();
    const done: Choice[] = [];
    play.begin();
    for (;;) {
      await Promise.all(play.parties.map((party) => party.halted()));
      const choices = choicesOf(play, done);
      if (choices.length === 0) break;
      const chosen = prefix[done.length] ?? choices[0];
      if (done.length >= prefix.length) {
        const moment = await describeMoment(play, done);
        if (seen.has(moment)) return;
        seen.add(moment);
        for (const other of choices) if (other !== chosen) prefixes.push([...done, other]);
      }
      if (chosen === undefined) break;
      done.push(chosen);
      await choose(play, chosen);
    }
    try {
      await play.check(done);
    } catch (error) {
      throw new Error(`after ${done.join(' ')}`, { cause: error });
    }
  };
  const playing = new Set<Promise<void>>();
  while (prefixes.length > 0 || playing.size > 0) {
    const prefix = playing.size < atOnce ? prefixes.pop() : undefined;
    if (!prefix) {
      await Promise.race(playing);
      continue;
    }
    const one: Promise<void> = playOne(prefix).finally(() => playing.delete(one));
    playing.add(one);
  }
  return seen.size;
}

function choicesOf({ parties: [first, second] }: Play, done: readonly Choice[]): Choice[] {
  const choices: Choice[] = [];
  const previous = done.at(-1);
  const isBusy = (party: Party): boolean => party.standing === 'asking';
  /** Looks again when something has happened since. */
  const isWoken = (party: Party, other: Party, step: Choice): boolean =>
    party.standing === 'waiting' && (previous !== step || !isBusy(other));
  if (isBusy(first) || isWoken(first, second, 0)) choices.push(0);
  if (isBusy(second) || isWoken(second, first, 1)) choices.push(1);
  const troubles = done.filter((choice) => typeof choice === 'string').length;
  if (troubles < 2 && first.standing !== 'over' && first.standing !== 'dead' && !done.includes('kill')) {
    if (!done.includes('lose') && isBusy(first)) choices.push('lose');
    if (!done.includes('late') && second.standing === 'waiting') choices.push('late');
    choices.push('kill');
  }
  return choices;
}

async function choose(play: Play, choice: Choice): Promise<void> {
  const [first, second] = play.parties;
  if (choice === 'kill') first.standing = 'dead';
  else if (choice === 'lose') await first.step(true);
  else if (choice === 'late') {
    play.passTime();
    await second.step();
  } else {
    const [party, other] = choice === 0 ? [first, second] : [second, first];
    // Nobody else is left who could change anything.
    if (party.standing === 'waiting' && other.standing !== 'asking') play.passTime();
    await party.step();
  }
}

async function describeMoment(play: Play, done: readonly Choice[]): Promise<string> {
  const troubles = done.filter((choice) => typeof choice === 'string').sort();
  const parties = play.parties.map(({ standing, history }) => ({ standing, history }));
  // Who waits goes on after a step of the other.
  const last = parties.some(({ standing }) => standing === 'waiting') ? done.at(-1) : null;
  return withNumbers(play.anonymous(JSON.stringify([await play.documents(), parties, troubles, last])));
}

/** Ids of creations are random: here they are numbered as they appear. */
function withNumbers(text: string): string {
  const numbers = new Map<string, number>();
  return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return `#${numbers.get(id)}`;
  });
}
