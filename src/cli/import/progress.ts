import type { WriteStream } from 'node:tty';
import type { ImportProgress } from './accounts-js.ts';

/** Lines of a log are wanted less often than the one of a terminal that is written again and again. */
const USERS_PER_LINE = 100_000;
const TERMINAL_INTERVAL = 1_000;

/** Shows how far an import is. `end` leaves the terminal in order. */
export function showProgress(stream: Pick<WriteStream, 'isTTY' | 'write'>): {
  show: (progress: ImportProgress) => void;
  end: () => void;
} {
  let shownAt = -Infinity;
  let line = 0;
  let phase = '';
  return {
    show(progress) {
      if (stream.isTTY) {
        if (performance.now() - shownAt < TERMINAL_INTERVAL) return;
        shownAt = performance.now();
        stream.write(`\r\x1b[K${textOf(progress)}`);
        return;
      }
      const lines = Math.floor(progress.users / USERS_PER_LINE);
      if (progress.phase !== phase) line = 0;
      phase = progress.phase;
      if (lines > line) stream.write(`${textOf(progress)}\n`);
      line = lines;
    },
    end() {
      if (stream.isTTY && shownAt > 0) stream.write('\r\x1b[K');
    },
  };
}

function textOf({ phase, users }: ImportProgress): string {
  return `${phase === 'reading' ? 'Read' : 'Imported'} ${users.toLocaleString('en-US')} users`;
}
