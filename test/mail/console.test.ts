import { expect, test } from 'vitest';
import { consoleMail } from '../../src/mail/console.ts';

const LINK = 'http://localhost:4000/verify-email/abc';

test('a printed mail tells whom it is for, and its link stands on a line of its own', () => {
  const printed = print({ subject: 'Verify your e-mail address', text: `Hello\n\n${LINK}\n\nBye\n` });
  expect(printed.split('\n')).toContain(LINK);
  expect(printed).toContain('To: ada@example.com\nSubject: Verify your e-mail address\n');
  expect(printed.endsWith('\n')).toBe(true);
});

test('a name with escape sequences does not reach the terminal as one', () => {
  const printed = print({ subject: 'Hi \u001b[2J', text: 'a\u001b]0;x\u0007\r\nb\u202e' });
  for (const character of '\u001b\u0007\r\u202e') expect(printed).not.toContain(character);
  expect(printed).toContain('\nb');
});

function print(mail: { subject: string; text: string }): string {
  let printed = '';
  const send = consoleMail({
    write: (text) => {
      printed += text;
    },
  });
  send({ from: 'no-reply@example.com', to: 'ada@example.com', ...mail });
  return printed;
}
