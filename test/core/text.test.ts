import { expect, test } from 'vitest';
import { escapeHtml, printable } from '../../src/core/text.ts';

test('S47 printable text is one line, without what terminals obey and readers do not see', () => {
  expect(printable('a\r\nb\u001b[2Jc\u2028d\u202ee\u200bf\ud800')).toBe(
    'a\ufffd\ufffdb\ufffd[2Jc\ufffdd\ufffde\ufffdf\ufffd',
  );
  expect(printable('a\tb\n', ' ')).toBe('a b ');
  expect(printable('Ærøskøbing 日本 👩')).toBe('Ærøskøbing 日本 👩');
});

test('escaped text ends no tag, no attribute and no entity', () => {
  expect(escapeHtml('<a href="\'">&amp;')).toBe('&#60;a href=&#34;&#39;&#34;&#62;&#38;amp;');
});
