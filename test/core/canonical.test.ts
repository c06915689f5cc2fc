import { describe, expect, test } from 'vitest';
import { parseEmail, parseUsername } from '../../src/core/canonical.ts';
import { AccountsError } from '../../src/errors.ts';

const KELVIN = '\u212a';

const NO_STRINGS: unknown[] = [
  undefined,
  null,
  1,
  true,
  ['a@b.co'],
  { $ne: null },
  { toString: () => 'a@b.co' },
  Symbol('a@b.co'),
];

/** A seeded generator (mulberry32): the same strings at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Short strings of any code points, every other one from the corners where Unicode is surprising. */
function* unicodeStrings(count: number): Generator<string> {
  const next = random(20_250_101);
  const surprising = [
    ...'ßẞıİſΣςσᾳŉǰΐ\u0307\u0345\u0301\u0323K\u212aÅ\u212bﬁﬃǅℌ⒈㏂…．＠，ＡａＩﷲㅤ\u200d\ufe0f.-_@',
  ];
  for (let made = 0; made < count; made += 1) {
    let text = '';
    for (let length = 1 + Math.floor(next() * 6); length > 0; length -= 1) {
      const limit = next() < 0.5 ? 0x3000 : 0x110000;
      text +=
        next() < 0.5
          ? (surprising[Math.floor(next() * surprising.length)] ?? '')
          : String.fromCodePoint(Math.floor(next() * limit));
    }
    yield text;
  }
}

function accepted<T>(parse: (input: unknown) => T, input: unknown): T | null {
  try {
    return parse(input);
  } catch (error) {
    if (error instanceof AccountsError) return null;
    throw error;
  }
}

describe('an e-mail address', () => {
  test('is stored as written, without the white space around it, and compared in lower case', () => {
    expect(parseEmail('  Ada.Lovelace+Notes@Example.COM\n')).toEqual({
      address: 'Ada.Lovelace+Notes@Example.COM',
      canonical: 'ada.lovelace+notes@example.com',
    });
  });

  test('is compared with its domain in ASCII', () => {
    expect(parseEmail('info@BÜCHER.example')).toEqual({
      address: 'info@BÜCHER.example',
      canonical: 'info@xn--bcher-kva.example',
    });
    expect(parseEmail('info@xn--bcher-kva.example').canonical).toBe('info@xn--bcher-kva.example');
    expect(parseEmail('info@faß.de').canonical).not.toBe(parseEmail('info@fass.de').canonical);
  });

  test.each([
    "o'reilly@example.com",
    'a@b.co',
    '1@1.io',
    '_@example.com',
    '-dash-@example.com',
    "!#$%&'*+-/=?^_`{|}~@example.com",
    'x@sub.sub.sub.example.museum',
    'x@a--b.example',
    'x@123.com',
    'józef@example.pl',
    'joz\u0301ef@example.pl',
    '用户@例子.广告',
    'пример@пример.рф',
    `${'a'.repeat(64)}@example.com`,
    `${'ü'.repeat(32)}@example.com`,
    `x@${'a'.repeat(63)}.com`,
    `x@${'a.'.repeat(124)}com`,
  ])('is accepted: %s', (email) => {
    expect(parseEmail(email).address).toBe(email.normalize('NFC'));
  });

  const FORMS_OF_NOBODY = [
    '',
    ' ',
    '@',
    'a',
    'a@',
    '@b.co',
    'a@b',
    'a@localhost',
    'a@@b.co',
    'a@b@c.co',
    'a b@c.co',
    'a@b .co',
    'a@b.co,c@d.co',
    'a@b.co;c@d.co',
    'a@b.co c@d.co',
    'Ada <a@b.co>',
    '<a@b.co>',
    'a@b.co>',
    '"a"@b.co',
    '"a b"@b.co',
    'a"b@c.co',
    'a(comment)@b.co',
    'a@b.co(comment)',
    'a\\b@c.co',
    'a:b@c.co',
    'mailto:a@b.co',
    'a[b]@c.co',
    'a@[127.0.0.1]',
    'a@[IPv6:::1]',
    'a@127.0.0.1',
    'a@0x7f.1',
    'a@2130706433',
    'a@1.2',
    'a@b.123',
    'a@b.co:25',
    'a@b.co/x',
    'a@b.co?x',
    'a@b.co#x',
    'a@b%2eco.example',
    'a@b_c.example',
    'a@-b.co',
    'a@b-.co',
    'a@.b.co',
    'a@b..co',
    'a@b.co.',
    'a@.',
    '.a@b.co',
    'a.@b.co',
    'a..b@c.co',
    '..@b.co',
    'a@b.co\r\nBcc: c@d.co',
    'a\r\n@b.co',
    'a@b\n.co',
    'a@b.co%0aBcc:c@d.co x',
    'a\u0000@b.co',
    'a@b.co\u0000',
    'a\u007f@b.co',
    'a\u0085b@c.co',
    'a\u2028b@c.co',
    'a\u00a0b@c.co',
    'a\u200bb@c.co',
    'a\u200db@c.co',
    'a\u00adb@c.co',
    'a\u202eb@c.co',
    'a\ufe0f@b.co',
    'a\u3164@b.co',
    'a\ud800@b.co',
    'a@b\udc00.co',
    'a\ue000@b.co',
    '\u0301a@b.co',
    `${'a'.repeat(65)}@b.co`,
    `${'ü'.repeat(33)}@b.co`,
    `a@${'b'.repeat(64)}.co`,
    `a@${'b.'.repeat(125)}coo`,
    `a@${'ü.'.repeat(60)}co`,
  ];

  test.each(FORMS_OF_NOBODY)('S37 is refused: %j', (email) => {
    expect(() => parseEmail(email)).toThrow(expect.objectContaining({ code: 'INVALID_EMAIL' }));
  });

  test('S37 is refused with any control, space or separator in any place', () => {
    const signs = [
      ' ',
      ',',
      ';',
      ':',
      '<',
      '>',
      '(',
      ')',
      '[',
      ']',
      '\\',
      '"',
      '@',
      '\u00a0',
      '\u2003',
      '\ufeff',
    ];
    for (let code = 0; code < 0x20; code += 1) signs.push(String.fromCodePoint(code));
    for (let code = 0x7f; code < 0xa0; code += 1) signs.push(String.fromCodePoint(code));
    const email = 'ada@example.com';
    for (const sign of signs) {
      for (let at = 1; at < email.length; at += 1) {
        const broken = email.slice(0, at) + sign + email.slice(at);
        expect(accepted(parseEmail, broken), JSON.stringify(broken)).toBeNull();
      }
    }
  });

  test.each([
    ['an at sign', 'victim＠example.com'],
    ['a second at sign', 'a＠evil.com@example.com'],
    ['a small at sign', 'a﹫example.com'],
    ['a dot, from a number', 'a⒈b@example.com'],
    ['dots, from a time', 'a㏂b@example.com'],
    ['dots, from an ellipsis', 'a…b@example.com'],
    ['a full width dot', 'a@example．com'],
    ['an ideographic dot', 'a@example。com'],
    ['a comma', 'a，b@example.com'],
    ['a slash', 'a℀b@example.com'],
    ['parentheses', 'a⑴b@example.com'],
    ['white space', 'aﷺ@example.com'],
    ['a quotation mark', '＂a＂@example.com'],
    ['an angle bracket', 'a＞@example.com'],
    ['a line break, from nothing', 'a\u2029@example.com'],
  ])('S37 is refused when normalising would make %s of what was written: %s', (_, email) => {
    expect(() => parseEmail(email)).toThrow(expect.objectContaining({ code: 'INVALID_EMAIL' }));
  });

  test('S37 gets its mail at the mailbox that it is compared as, whatever letters it was written in', () => {
    expect(parseEmail(`mi${KELVIN}e@example.com`)).toEqual({
      address: 'miKe@example.com',
      canonical: 'mike@example.com',
    });
    expect(parseEmail('Ｕser@ｅｘample.com')).toEqual({
      address: 'User@example.com',
      canonical: 'user@example.com',
    });
    expect(parseEmail('ﬁ@example.com').address).toBe('fi@example.com');
  });

  test('S37 with a Turkish i is somebody else than the one with a Latin i', () => {
    expect(parseEmail('mıke@example.com').canonical).toBe('mıke@example.com');
    expect(parseEmail('mİke@example.com').canonical).not.toBe('mike@example.com');
    expect(parseEmail('mike@gıthub.com').canonical).not.toBe('mike@github.com');
  });

  test('S43 is refused when it is no string', () => {
    for (const input of NO_STRINGS) {
      expect(() => parseEmail(input)).toThrow(expect.objectContaining({ code: 'INVALID_EMAIL' }));
    }
  });

  test('S37 is judged by its length before it is normalised', () => {
    const normalize = String.prototype.normalize;
    let normalised = 0;
    String.prototype.normalize = function counted(form?: string) {
      normalised += 1;
      return normalize.call(this, form);
    };
    try {
      expect(() => parseEmail(`${'a'.repeat(1_000_000)}@b.co`)).toThrow();
    } finally {
      String.prototype.normalize = normalize;
    }
    expect(normalised).toBe(0);
  });

  test('S37 has a canonical form that is its own canonical form, and no other mailbox, for any Unicode', () => {
    let seen = 0;
    for (const text of unicodeStrings(40_000)) {
      for (const email of [`${text}@example.com`, `ada@x${text}.com`]) {
        const parsed = accepted(parseEmail, email);
        if (!parsed) continue;
        seen += 1;
        expect(parsed.canonical).toMatch(/^[^@,;:<>()[\]\\"\p{C}\p{Z}]+@[a-z0-9.-]+$/u);
        expect(parseEmail(parsed.canonical)).toEqual({
          address: parsed.canonical,
          canonical: parsed.canonical,
        });
        expect(parseEmail(parsed.address)).toEqual(parsed);
      }
    }
    expect(seen).toBeGreaterThan(1_000);
  });
});

describe('a username', () => {
  test.each([
    'a',
    '7',
    'Ada',
    'ada.lovelace',
    'a-b_c.d',
    '用户',
    'Zoë',
    'हिन्दी',
    'a'.repeat(64),
    '𝒜'.repeat(64),
  ])('is accepted and kept as written: %s', (username) => {
    expect(parseUsername(username).username).toBe(username);
  });

  test.each([
    '',
    ' ',
    ' ada',
    'ada ',
    'a b',
    'ada@example.com',
    'ada＠example',
    '.ada',
    '_ada',
    '-ada',
    '\u0301ada',
    'a/b',
    'a$b',
    'a\u0000b',
    'a\nb',
    'ada\n',
    'a\u200bb',
    'ada\ufe0f',
    'a\u034fb',
    '\u3164',
    'ada\ud800',
    '½',
    'a⑴',
    'a㏂',
    '😀',
    'a'.repeat(65),
    '𝒜'.repeat(65),
    'ﷺ',
  ])('is refused: %j', (username) => {
    expect(() => parseUsername(username)).toThrow(expect.objectContaining({ code: 'INVALID_USERNAME' }));
  });

  test.each([
    ['Ada', 'aDA'],
    ['Straße', 'STRASSE'],
    ['STRAẞE', 'straße'],
    [`${KELVIN}im`, 'kim'],
    ['Ａｄａ', 'ada'],
    ['ﬁn', 'FIN'],
    ['Σοφός', 'ΣΟΦΌΣ'],
    ['Zoe\u0308', 'zoë'],
    ['ıris', 'IRIS'],
    ['²', '2'],
  ])('is taken in every spelling: %s is %s', (one, other) => {
    expect(parseUsername(one).canonical).toBe(parseUsername(other).canonical);
  });

  test('S43 is refused when it is no string', () => {
    for (const input of NO_STRINGS) {
      expect(() => parseUsername(input)).toThrow(expect.objectContaining({ code: 'INVALID_USERNAME' }));
    }
  });

  test('S44 is plain text, also where it is the name of a property of every object', () => {
    expect(accepted(parseUsername, '__proto__')).toBeNull();
    expect(parseUsername('Constructor')).toEqual({ username: 'Constructor', canonical: 'constructor' });
    expect(parseEmail('__proto__@example.com').canonical).toBe('__proto__@example.com');
  });

  test('S37 has a canonical form that is its own canonical form, for any Unicode', () => {
    let seen = 0;
    for (const text of unicodeStrings(40_000)) {
      const parsed = accepted(parseUsername, text);
      if (!parsed) continue;
      seen += 1;
      expect(parsed.canonical).not.toMatch(/[@\p{C}\p{Z}]/u);
      expect(accepted(parseUsername, parsed.canonical)?.canonical ?? parsed.canonical).toBe(parsed.canonical);
      expect(parseUsername(parsed.username)).toEqual(parsed);
    }
    expect(seen).toBeGreaterThan(1_000);
  });

  test('has for every single letter a canonical form that stays', () => {
    const unstable: string[] = [];
    for (let code = 0; code < 0x110000; code += 1) {
      const letter = String.fromCodePoint(code);
      const parsed = /[\p{L}\p{N}]/u.test(letter) ? accepted(parseUsername, letter) : null;
      if (parsed && parseUsername(parsed.canonical).canonical !== parsed.canonical) unstable.push(letter);
    }
    expect(unstable).toEqual([]);
  });
});
