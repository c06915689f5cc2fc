import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fileMail } from '../../src/mail/file.ts';

const folder = mkdtempSync(join(tmpdir(), 'graphql-accounts-mails-'));
const dir = join(folder, 'outgoing', 'mails');

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mail = (subject: string) => ({ from: 'a@example.com', to: 'b@example.com', subject, text: 'Hello' });

test('each mail is one JSON file that only its owner may read, and the names sort in the order of sending', async () => {
  const send = fileMail(dir);
  const subjects = Array.from({ length: 50 }, (_, number) => `number ${number}`);
  await Promise.all(subjects.map((subject) => send({ ...mail(subject), html: '<p>Hello</p>' })));

  const names = readdirSync(dir);
  const written = names.sort().map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')));
  expect(written.map(({ subject }) => subject)).toEqual(subjects);
  expect(written[0]).toEqual({ ...mail('number 0'), html: '<p>Hello</p>' });
  for (const name of names) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
});

test('a mail without HTML says so', async () => {
  await fileMail(dir)(mail('plain'));
  const [name = ''] = readdirSync(dir);
  expect(JSON.parse(readFileSync(join(dir, name), 'utf8')).html).toBeNull();
});

test('a folder that cannot be made is told at once', () => {
  writeFileSync(join(mkFolder(), 'file'), '');
  expect(() => fileMail(join(folder, 'file', 'mails'))).toThrow(/ENOTDIR|EEXIST/);
});

test('a mail that cannot be written rejects, and leaves nothing behind', async () => {
  const send = fileMail(dir);
  rmSync(folder, { recursive: true });
  await expect(send(mail('lost'))).rejects.toThrow('ENOENT');
});

function mkFolder(): string {
  fileMail(folder);
  return folder;
}
