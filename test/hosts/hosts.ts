import { gatewayWithCookies } from './cookie-gateway.ts';
import type { Feature, FeatureName } from './features.ts';
import { runInside } from './inside.ts';
import { pageWithUser } from './next-page.ts';

/** Folders of `test/hosts` with a lock file: what is installed together, by the major version of graphql. */
export type Group = 'graphql-16' | 'graphql-17' | 'nest-11' | 'nest-11-graphql-17';

/** One example, and what is expected of it. */
export interface Host {
  /** Its folder under `examples`. */
  folder: string;
  title: string;
  /** The package whose own range for `graphql` says with which versions it is tried. */
  host: string;
  groups: readonly Group[];
  /** Where GraphQL is, below the address that it prints. `/graphql` by default. */
  path?: string;
  /** Whether the message of an error of one's own reaches the client. */
  masks: boolean;
  /** What it has not, and why. Whatever is not listed has to work. */
  without: { readonly [feature in FeatureName]?: string };
  /** What no other host has. */
  also?: Feature;
}

const NOT_FEDERATED =
  'is no subgraph here; in [a subgraph](federation-subgraph.md) it is the schema that refuses, whatever serves it';
const NO_DEFER = 'has no `@defer`';
const NO_DEFER_ON_GRAPHQL_HTTP = 'is served by graphql-http, which has no `@defer`';
const NO_DEFER_ON_APOLLO = 'has `@defer` with graphql 17.0.0-alpha.9 only, which its own range excludes';
const NO_SOCKETS = 'is a function from a request to a response: WebSockets are of what it runs on';

export const HOSTS: readonly Host[] = [
  {
    folder: 'yoga',
    title: 'Yoga',
    host: 'graphql-yoga',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { entities: NOT_FEDERATED },
  },
  {
    folder: 'yoga-fetch',
    title: 'Yoga as a Fetch handler',
    host: 'graphql-yoga',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { webSocket: NO_SOCKETS, entities: NOT_FEDERATED },
  },
  {
    folder: 'envelop',
    title: 'Envelop alone',
    host: '@envelop/core',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { defer: NO_DEFER_ON_GRAPHQL_HTTP, entities: NOT_FEDERATED },
  },
  {
    folder: 'apollo',
    title: 'Apollo Server 5',
    host: '@apollo/server',
    groups: ['graphql-16'],
    masks: false,
    without: { defer: NO_DEFER_ON_APOLLO, entities: NOT_FEDERATED },
  },
  {
    folder: 'mercurius',
    title: 'Mercurius 16',
    host: 'mercurius',
    groups: ['graphql-16'],
    masks: false,
    without: {
      sse: 'serves subscriptions over WebSockets only',
      defer: NO_DEFER,
      entities: NOT_FEDERATED,
    },
  },
  {
    folder: 'graphql-http-express',
    title: 'graphql-http on Express',
    host: 'graphql-http',
    groups: ['graphql-16', 'graphql-17'],
    masks: false,
    without: { defer: NO_DEFER_ON_GRAPHQL_HTTP, entities: NOT_FEDERATED },
  },
  {
    folder: 'graphql-http-koa',
    title: 'graphql-http on Koa',
    host: 'graphql-http',
    groups: ['graphql-16', 'graphql-17'],
    masks: false,
    without: { defer: NO_DEFER_ON_GRAPHQL_HTTP, entities: NOT_FEDERATED },
  },
  {
    folder: 'fastify-yoga',
    title: 'Yoga on Fastify',
    host: 'graphql-yoga',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { entities: NOT_FEDERATED },
  },
  {
    folder: 'hive-gateway',
    title: 'Hive Gateway 2',
    host: '@graphql-hive/gateway-runtime',
    groups: ['graphql-16'],
    masks: true,
    without: { entities: 'stands before subgraphs: they have `_entities`, its clients have not' },
    also: {
      title: 'many users at once, headers, and cookies',
      async run(subject) {
        await runInside(subject, 'hive-gateway.mjs');
        await gatewayWithCookies(subject);
      },
    },
  },
  {
    folder: 'federation-subgraph',
    title: 'Federation 2 subgraph',
    host: '@apollo/subgraph',
    groups: ['graphql-16'],
    masks: true,
    without: {},
    also: {
      title: 'composes, and keeps `User` closed',
      run: (subject) => runInside(subject, 'federation-subgraph.mjs'),
    },
  },
  {
    folder: 'stitching',
    title: 'Schema stitching',
    host: '@graphql-tools/stitch',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { entities: NOT_FEDERATED },
    also: {
      title: '`@auth` before and after stitching',
      run: (subject) => runInside(subject, 'stitching.mjs'),
    },
  },
  {
    folder: 'nestjs-apollo',
    title: 'NestJS 12, Apollo driver',
    host: '@apollo/server',
    groups: ['graphql-16'],
    masks: false,
    without: { defer: NO_DEFER_ON_APOLLO, entities: NOT_FEDERATED },
  },
  {
    folder: 'nestjs-yoga',
    title: 'NestJS 11, Yoga driver',
    host: '@graphql-yoga/nestjs',
    groups: ['nest-11', 'nest-11-graphql-17'],
    masks: false,
    without: { entities: NOT_FEDERATED },
  },
  {
    folder: 'next',
    title: 'Next.js 16, App Router',
    host: 'graphql-yoga',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { webSocket: 'lets no route open a WebSocket', entities: NOT_FEDERATED },
    also: pageWithUser,
  },
  {
    folder: 'graphql-modules',
    title: 'GraphQL Modules',
    host: 'graphql-modules',
    groups: ['graphql-16'],
    masks: true,
    without: { entities: NOT_FEDERATED },
  },
  {
    folder: 'pothos',
    title: 'Pothos 4',
    host: '@pothos/core',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { entities: NOT_FEDERATED },
  },
  {
    folder: 'type-graphql',
    title: 'TypeGraphQL 2 (release candidate)',
    host: 'type-graphql',
    groups: ['graphql-16'],
    masks: true,
    without: { entities: NOT_FEDERATED },
  },
];
