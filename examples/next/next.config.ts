import type { NextConfig } from 'next';

const config: NextConfig = {
  // One copy of each for all that Next.js bundles: two would not know each other's schemas and errors.
  serverExternalPackages: ['graphql', 'graphql-accounts'],
};
export default config;
