import { envelop, useEngine, useEnvelop, useSchema } from '@envelop/core';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { execute, parse, subscribe, validate } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { accountsModule } from '../../../src/graphql/module.ts';
import { useAccounts } from '../../../src/graphql/use-accounts.ts';
import { createAccounts } from '../../accounts.ts';

const { server } = createAccounts();
const other = createAccounts().server;
const schema = makeExecutableSchema(accountsModule(server));
const engine = useEngine({ parse, validate, execute, subscribe });

describe('useAccounts twice among the plugins', () => {
  const one = useAccounts(server);
  const twice: [string, () => object[]][] = [
    ['for one server', () => [useAccounts(server), useAccounts(server)]],
    ['for two servers', () => [useAccounts(server), useAccounts(other)]],
    [
      'with other options',
      () => [
        useAccounts(server),
        { onParse: () => undefined },
        useAccounts(server, { headerName: 'x-token' }),
      ],
    ],
    ['as one object', () => [one, one]],
    [
      'in an Envelop within',
      () => [useEnvelop(envelop({ plugins: [useAccounts(server)] })), useAccounts(server)],
    ],
    [
      'by another plugin',
      () => [
        useAccounts(server),
        {
          onPluginInit: ({ addPlugin }: { addPlugin(plugin: object): void }) =>
            addPlugin(useAccounts(server)),
        },
      ],
    ],
  ];

  test.each(twice)('stops Yoga: %s', (_, plugins) => {
    const start = () => createYoga({ schema, logging: false, plugins: plugins() });
    expect(start).toThrow(TypeError);
    expect(start).toThrow('useAccounts is among the plugins more than once');
  });

  test.each(twice)('stops Envelop: %s', (_, plugins) => {
    expect(() => envelop({ plugins: [engine, useSchema(schema), ...plugins()] })).toThrow(
      'useAccounts is among the plugins more than once',
    );
  });

  test('is no matter of two hosts, which may share one', () => {
    const shared = useAccounts(server);
    for (let host = 0; host < 2; host++)
      expect(() => createYoga({ schema, logging: false, plugins: [shared, {}] })).not.toThrow();
  });
});
