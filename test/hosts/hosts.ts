import type { FeatureName } from './features.ts';

/** Folders of `test/hosts` with a lock file: what is installed together, by the major version of graphql. */
export type Group = 'graphql-16' | 'graphql-17' | 'nest-11';

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
}

const NO_SUBSCRIPTIONS = 'serves no subscriptions by itself';
const NOT_FEDERATED = 'is no part of a federation';
const NO_DEFER = 'has no `@defer`';

export const HOSTS: readonly Host[] = [
  {
    folder: 'yoga',
    title: 'Yoga',
    host: 'graphql-yoga',
    groups: ['graphql-16', 'graphql-17'],
    masks: true,
    without: { entities: NOT_FEDERATED },
  },
];
export { NO_DEFER, NO_SUBSCRIPTIONS, NOT_FEDERATED };
