import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { createDocuments } from '../../src/cli/graphql/documents.ts';

const schema = buildSchema('type Query { known: Int }');

test('a valid document is parsed once', () => {
  const { parse, validate } = createDocuments(schema, { introspection: true });
  const document = parse('{ known }');
  expect(validate(document)).toEqual([]);
  expect(parse('{ known }')).toBe(document);
});

test.each(['{ unknown }', `{ ${'known '.repeat(40)} }`])(
  'of a document that is refused nothing is kept: %s',
  (text) => {
    const { parse, validate } = createDocuments(schema, { introspection: true });
    const document = parse(text);
    expect(validate(document)).toHaveLength(1);
    expect(parse(text)).not.toBe(document);
    expect(validate(parse(text))).toHaveLength(1);
  },
);

test.each([
  ['short ones', (n: number) => `{known}#${n}`, 1_000],
  ['long ones', (n: number) => `{known}#${n}${'-'.repeat(8_000)}`, 32],
])('no more documents are kept than there is room for: %s', (_, text, room) => {
  const { parse, validate } = createDocuments(schema, { introspection: true });
  const documents = Array.from({ length: 2 * room }, (_, n) => {
    const document = parse(text(n));
    validate(document);
    return document;
  });
  // From the newest back: whatever is parsed again here is not valid yet, and puts nothing out.
  const kept = documents.filter((_, index) => {
    const n = documents.length - 1 - index;
    return parse(text(n)) === documents[n];
  });
  expect(kept.length).toBeGreaterThan(room * 0.9);
  expect(kept.length).toBeLessThanOrEqual(room);
});

/** The two functions that the plugin gives to Yoga. */
