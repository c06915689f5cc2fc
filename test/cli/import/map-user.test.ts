import { describe, expect, test } from 'vitest';
import { BCRYPT, BOX, type foreign, mapped, NOW } from './foreign.ts';

describe('a user of accounts-js', () => {
  test('keeps id, names, times and state', () => {
    const { record, identities, refusals, losses } = mapped({
      username: 'Ada',
      emails: [
        { address: 'ada@example.com', verified: true },
        { address: 'ada@bücher.example', verified: false },
      ],
      deactivated: true,
      createdAt: 1_000,
      updatedAt: new Date(2_000),
      services: [['password', { bcrypt: BCRYPT }]],
    });
    expect([refusals, losses]).toEqual([[], []]);
    expect(record).toEqual({
      id: 'ada',
      version: 1,
      username: 'Ada',
      emails: [
        { address: 'ada@example.com', canonical: 'ada@example.com', verified: true, claimed: true },
        {
          address: 'ada@bücher.example',
          canonical: 'ada@xn--bcher-kva.example',
          verified: false,
          claimed: true,
        },
      ],
      deactivated: true,
      profile: {},
      createdAt: 1_000,
      updatedAt: 2_000,
    });
    const common = { userId: 'ada', version: 1, createdAt: 1_000 };
    expect(identities).toEqual([
      { service: 'username', subject: 'ada', data: {}, ...common },
      { service: 'email', subject: 'ada@example.com', data: {}, ...common },
      { service: 'email', subject: 'ada@xn--bcher-kva.example', data: {}, ...common },
      { service: 'password', subject: 'ada', data: { hash: BCRYPT, normalization: null }, ...common },
    ]);
  });

  test('has an address once that was written in two ways, and verified if one of them is', () => {
    const { record } = mapped({
      emails: [
        { address: 'ada@bücher.example', verified: false },
        { address: 'ada@xn--bcher-kva.example', verified: true },
      ],
    });
    expect(record?.emails).toMatchObject([{ canonical: 'ada@xn--bcher-kva.example', verified: true }]);
  });

  test('that tells no time was made now', () => {
    expect(mapped({ createdAt: undefined, updatedAt: null }).record).toMatchObject({
      createdAt: NOW,
      updatedAt: NOW,
    });
    expect(mapped({ createdAt: '2020-01-01T00:00:00Z' }).record?.createdAt).toBe(Date.UTC(2020, 0, 1));
    for (const createdAt of ['yesterday', new Date(Number.NaN), -1, 8.64e15, {}]) {
      const { record, losses } = mapped({ createdAt });
      expect(record?.createdAt).toBe(NOW);
      expect(losses).toMatchObject([{ code: 'INVALID_TIME', field: 'createdAt' }]);
    }
  });
});

describe('is refused as a whole', () => {
  test.each([
    ['without an id', { id: null }, 'INVALID_ID'],
    ['with an empty id', { id: '' }, 'INVALID_ID'],
    ['with an id that no database keeps', { id: 'a\0b' }, 'INVALID_ID'],
    ['with a username that is a number', { username: 7 }, 'INVALID_USERNAME'],
    ['with a username that looks like an address', { username: 'ada@example.com' }, 'INVALID_USERNAME'],
    ['with addresses that are no list', { emails: 'ada@example.com' }, 'INVALID_EMAIL'],
    ['with an address that is an object', { emails: [{ address: { $ne: null } }] }, 'INVALID_EMAIL'],
    ['with an address that is none', { emails: [{ address: 'ada' }] }, 'INVALID_EMAIL'],
    ['with an entry that is null', { emails: [null] }, 'INVALID_EMAIL'],
    ['verified as text', { emails: [{ address: 'ada@example.com', verified: 'no' }] }, 'INVALID_EMAIL'],
    ['deactivated as text', { deactivated: 'true' }, 'INVALID_DEACTIVATED'],
    ['with a hash that is no text', { services: [['password', { bcrypt: 7 }]] }, 'INVALID_PASSWORD'],
    ['with two passwords', { services: twice('password', { bcrypt: BCRYPT }) }, 'INVALID_SERVICE'],
    ['with services that are no object', { services: [['', 'x']] }, 'INVALID_SERVICE'],
    [
      'with a linked account whose id is an object',
      { services: [['github', { id: {} }]] },
      'INVALID_SERVICE',
    ],
    [
      'with a linked account of a name without end',
      { services: [['x'.repeat(101), { id: 'x' }]] },
      'INVALID_SERVICE',
    ],
    ['with a second factor without secret', { services: [['two-factor', {}]] }, 'INVALID_SECOND_FACTOR'],
    [
      'with a second factor that is not base32',
      { services: [['two-factor', { secret: { base32: '0189' } }]] },
      'INVALID_SECOND_FACTOR',
    ],
    [
      'with a second factor of another kind',
      { services: [['webauthn', { id: 'x' }]] },
      'UNKNOWN_SECOND_FACTOR',
    ],
  ] as const)('%s', (_what, user, code) => {
    const { record, refusals } = mapped(user as Partial<ReturnType<typeof foreign>>);
    expect(record).toBeNull();
    expect(refusals).toMatchObject([{ code }]);
  });
});

describe('a password', () => {
  test('of which there is none is none', () => {
    expect(mapped({ services: [['password', { bcrypt: null }]] }).identities).toEqual([]);
  });

  test('in a form that only the application can verify comes over, and is told', () => {
    for (const hash of [`$2a$31$${'a'.repeat(53)}`, 'scrypt:abc']) {
      const { identities, losses } = mapped({ services: [['password', { bcrypt: hash }]] });
      expect(identities).toMatchObject([{ service: 'password', data: { hash } }]);
      expect(losses).toMatchObject([{ code: 'PASSWORD_FORMAT' }]);
      expect(JSON.stringify(losses)).not.toContain(hash);
    }
  });
});

describe('services', () => {
  test('of a second factor are encrypted for their user alone', () => {
    const base32 = 'MNJE2ZTHJFYUINRBHYUFIVKSMNTHCQZS';
    const { identities, losses } = mapped({ services: [['two-factor', { secret: { base32, hex: 'aa' } }]] });
    expect(losses).toEqual([]);
    const [factor] = identities;
    expect(factor).toMatchObject({ service: 'totp', subject: 'ada' });
    expect(BOX.open(String(factor?.data.secret), { service: 'totp', subject: 'ada' })).toBe(base32);
    expect(JSON.stringify(identities)).not.toContain(base32);
  });

  test('of a provider become linked accounts, without what the provider let the application do', () => {
    const { identities, losses, names } = mapped({
      services: [
        ['github', { id: 583_231, name: 'Octo', accessToken: 'gho_secret' }],
        ['twitter', null],
      ],
    });
    expect(identities).toMatchObject([
      { service: 'oauth:github', subject: '583231', data: { profile: { name: 'Octo' } } },
    ]);
    expect(names).toEqual([{ kind: 'oauth:github', canonical: '583231', verified: false }]);
    expect(losses).toMatchObject([{ code: 'PROVIDER_TOKEN', field: 'services.github.accessToken' }]);
    expect(JSON.stringify([identities, losses])).not.toContain('gho_secret');
  });

  test('of a provider leave its tokens behind wherever they lie', () => {
    const raw = {
      name: 'Octo',
      answers: [{ access_token: 'gho_secret', scope: 'user' }],
      idToken: 'gho_secret',
    };
    const { identities, losses } = mapped({ services: [['github', { id: '7', raw }]] });
    expect(identities[0]?.data).toEqual({ profile: { raw: { name: 'Octo', answers: [{ scope: 'user' }] } } });
    expect(losses.map(({ code, field }) => [code, field])).toEqual([
      ['PROVIDER_TOKEN', 'services.github.raw.answers.0.access_token'],
      ['PROVIDER_TOKEN', 'services.github.raw.idToken'],
    ]);
  });

  test('that are void links are left behind, and others are told', () => {
    const { identities, losses } = mapped({
      services: [
        ['email', { verificationTokens: [{ token: 'abc' }] }],
        ['magicLink', { loginTokens: [] }],
        ['password', { bcrypt: BCRYPT, reset: [{ token: 'abc' }], srp: 'x' }],
        ['newsletter', { weekly: true }],
      ],
    });
    expect(identities.map(({ service }) => service)).toEqual(['password']);
    expect(losses).toMatchObject([
      { code: 'UNKNOWN_FIELD', field: 'services.password.srp' },
      { code: 'UNKNOWN_SERVICE', field: 'services.newsletter' },
    ]);
  });
});

describe('custom fields', () => {
  const objectId = { _bsontype: 'ObjectId', toString: () => '65f0c0ffee65f0c0ffee65f0' };

  class Binary {
    readonly _bsontype = 'Binary';
    readonly sub_type = 0;
  }

  test('become the profile: dates as ISO text, ids as text', () => {
    const { record, losses } = mapped({
      custom: {
        plan: 'gold',
        born: new Date(0),
        company: Object.setPrototypeOf(objectId, Binary.prototype),
        tags: ['a', new Date(1)],
        profile: { name: 'Ada', nothing: undefined },
      },
    });
    expect(losses).toEqual([]);
    expect(record?.profile).toEqual({
      name: 'Ada',
      plan: 'gold',
      born: '1970-01-01T00:00:00.000Z',
      company: '65f0c0ffee65f0c0ffee65f0',
      tags: ['a', '1970-01-01T00:00:00.001Z'],
    });
  });

  test('that JSON has no form for are told by their path, and leave the rest in place', () => {
    const { record, losses } = mapped({
      custom: { photo: new Binary(), score: Number.NaN, list: [1, new Binary(), 'a\0'], ok: true },
    });
    expect(record?.profile).toEqual({ list: [1, null, null], ok: true });
    expect(losses.map(({ code, field }) => [code, field])).toEqual(
      ['photo', 'score', 'list.1', 'list.2'].map((field) => ['NOT_JSON', field]),
    );
  });

  test('of the same name as one of the profile are told', () => {
    const { record, losses } = mapped({ custom: { name: 'top', profile: { name: 'nested' } } });
    expect(record?.profile).toEqual({ name: 'nested' });
    expect(losses).toMatchObject([{ code: 'FIELD_CLASH', field: 'name' }]);
  });

  test('called __proto__ are data as any other', () => {
    const custom = JSON.parse('{"__proto__": {"admin": true}}') as { [field: string]: unknown };
    const { record } = mapped({ custom });
    expect(Object.keys(record?.profile ?? {})).toEqual(['__proto__']);
    expect(record?.profile.admin).toBeUndefined();
  });

  test('that are nested without end are told, and what is left is no deeper than MariaDB takes', () => {
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 1_000; depth++) deep = { deep };
    const { record, identities, losses } = mapped({
      custom: { deep },
      services: [['github', { id: '7', deep }]],
    });
    expect(losses).toMatchObject([{ code: 'NOT_JSON' }, { code: 'NOT_JSON' }]);
    for (const data of [record?.profile, identities[0]?.data])
      expect(JSON.stringify(data).match(/{/g)?.length).toBeLessThan(32);
  });

  test('that no packet of a database holds are told, and leave the rest in place', () => {
    const picture = 'x'.repeat(3_000_000);
    const { record, identities, losses } = mapped({
      custom: { before: 1, one: picture, two: picture, after: 2 },
      services: [['github', { id: '7', one: picture, two: picture }]],
    });
    expect(Object.keys(record?.profile ?? {})).toEqual(['before', 'one', 'after']);
    expect(identities).toMatchObject([{ service: 'oauth:github', subject: '7', data: {} }]);
    expect(losses.map(({ code, field }) => [code, field])).toEqual([
      ['TOO_LARGE', 'services.github'],
      ['TOO_LARGE', 'two'],
    ]);
  });

  test('whose names are addresses are told without them', () => {
    const contacts = { 'grace@example.com': new Binary() };
    const { losses } = mapped({ custom: { contacts, 'ada@example.com': new Binary(), profile: contacts } });
    expect(losses).toHaveLength(3);
    expect(JSON.stringify(losses)).not.toContain('@');
  });
});

function twice(name: string, value: unknown) {
  return [
    [name, value],
    [name, value],
  ];
}
