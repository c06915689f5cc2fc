import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { smtpMail } from '../../src/mail/smtp.ts';

const MAIL = {
  from: 'graphql-accounts <no-reply@example.com>',
  to: 'ada@example.com',
  subject: 'Verify your e-mail address',
  text: 'Hello\n\nhttp://localhost:4000/verify-email/abc\n',
};

let server: Server | undefined;
afterEach(() => server?.close());

test('a mail arrives with its addresses, its subject and its link', async () => {
  const { url, commands } = await listen();
  await smtpMail(url)(MAIL);
  expect(commands).toContain('MAIL FROM:<no-reply@example.com>');
  expect(commands.filter((line) => line.startsWith('RCPT'))).toEqual(['RCPT TO:<ada@example.com>']);
  expect(commands).toContain('Subject: Verify your e-mail address');
  expect(commands).toContain('http://localhost:4000/verify-email/abc');
});

test('an address with a comma is one address', async () => {
  const { url, commands } = await listen();
  await smtpMail(url)({ ...MAIL, to: 'ada@example.com, eve@example.net' });
  expect(commands.filter((line) => line.startsWith('RCPT'))).toHaveLength(1);
});

test.each(['to', 'from', 'subject'] as const)('a line break in "%s" sends nothing', async (header) => {
  const { url, commands } = await listen();
  const mail = { ...MAIL, [header]: `${MAIL[header]}\r\nBcc: eve@example.net` };
  await expect(smtpMail(url)(mail)).rejects.toThrow('line break');
  expect(commands).toEqual([]);
});

test('a password is not named to another machine without TLS', async () => {
  const { url, commands } = await listen();
  const send = smtpMail(url.replace('127.0.0.1', `mailer:secret@${OTHER_NAME_OF_THIS_MACHINE}`));
  await expect(send(MAIL)).rejects.toThrow('STARTTLS');
  expect(commands).toContain('STARTTLS');
  expect(commands.some((line) => line.startsWith('AUTH'))).toBe(false);
});

test('a server that refuses a mail makes the sending fail', async () => {
  const { url } = await listen({ refuse: /^RCPT/ });
  await expect(smtpMail(url)(MAIL)).rejects.toThrow('550');
});

test.each([
  'http://example.com',
  'smtp:',
  'smtp://',
  'smtp://example.com/path',
  'smtp://example.com?pool=true',
  'smtp://%zz@example.com',
])('%s is no mail server', (url) => {
  expect(() => smtpMail(url)).toThrow(TypeError);
});

/** Not 127.x, localhost or ::1, and yet this machine. */
const OTHER_NAME_OF_THIS_MACHINE = '[::ffff:127.0.0.1]';

/** The least that is a mail server: it speaks no TLS. */
async function listen({ refuse }: { refuse?: RegExp } = {}) {
  const commands: string[] = [];
  const converse = (socket: Socket): void => {
    let isData = false;
    let rest = '';
    const answer = (line: string): string | null => {
      if (isData) {
        isData = line !== '.';
        return isData ? null : '250 taken';
      }
      if (refuse?.test(line)) return '550 refused';
      if (line === 'STARTTLS') return '502 unknown here';
      if (line.startsWith('EHLO')) return '250-test\r\n250 AUTH PLAIN';
      isData = line === 'DATA';
      return isData ? '354 go on' : line === 'QUIT' ? '221 bye' : '250 ok';
    };
    socket.on('error', () => {});
    socket.write('220 test ESMTP\r\n');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        commands.push(line);
        const reply = answer(line);
        if (reply) socket.write(`${reply}\r\n`);
      }
    });
  };
  const listening = createServer(converse);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `smtp://127.0.0.1:${port}`, commands };
}
