import { type AimResult, type FigureResult, type MemoryResult, type Metric, samplesOf } from './result.ts';
import { ratios, spreadOf } from './statistics.ts';

/** A ratio of two figures of the same rounds, or one figure by itself, and what it should be. */
interface Aim {
  name: string;
  of: string;
  by?: string;
  metric?: Metric;
  most?: number;
  least?: number;
}

export const AIMS: readonly Aim[] = [
  { name: 'anonymous ÷ tuned Yoga', of: 'anonymous', by: 'yoga', most: 1.0 },
  { name: 'getUser, stateful on SQLite ÷ own anonymous', of: 'get-user', by: 'anonymous', most: 1.1 },
  { name: 'getUser, stateless ÷ own anonymous', of: 'stateless', by: 'stateless-anonymous', most: 1.2 },
  { name: 'sessions in Redis ÷ own anonymous', of: 'redis', by: 'redis-anonymous', most: 1.2 },
  { name: 'PostgreSQL ÷ own anonymous', of: 'postgres', by: 'postgres-anonymous', most: 1.2 },
  { name: 'MongoDB ÷ own anonymous', of: 'mongo', by: 'mongo-anonymous', most: 1.5 },
  { name: 'queries a request, Redis', of: 'redis', metric: 'queries', most: 0.1 },
  { name: 'queries a request, PostgreSQL', of: 'postgres', metric: 'queries', most: 0.1 },
  { name: 'queries a request, MongoDB', of: 'mongo', metric: 'queries', most: 0.1 },
  { name: 'authenticated: accounts-js ÷ ours', of: 'accounts-js', by: 'get-user', least: 3.5 },
  { name: 'authenticated: better-auth ÷ ours', of: 'better-auth', by: 'get-user', least: 10 },
  { name: 'refreshTokens ÷ own anonymous', of: 'refresh', by: 'anonymous', most: 2.5 },
  { name: 'refreshTokens: accounts-js ÷ ours', of: 'accounts-js-refresh', by: 'refresh', least: 1.4 },
  { name: 'logins: ours ÷ accounts-js', of: 'login', by: 'accounts-js-login', metric: 'rate', least: 6.5 },
  { name: 'logins: ours ÷ better-auth', of: 'login', by: 'better-auth-login', metric: 'rate', least: 5 },
  { name: 'light request beside 20 logins, p99 ms', of: 'light-beside', metric: 'p99', most: 15 },
  {
    name: 'in process, stateful ÷ floor',
    of: 'in-process-stateful',
    by: 'in-process-stateful-floor',
    most: 2.5,
  },
  {
    name: 'in process, stateless ÷ floor',
    of: 'in-process-stateless',
    by: 'in-process-stateless-floor',
    most: 2,
  },
  {
    name: "import('graphql-accounts') ÷ graphql + jsonwebtoken",
    ...{ of: 'import', by: 'import-needed', metric: 'milliseconds', most: 1.5 },
  },
  { name: 'two processes ÷ one, requests a second', of: 'two', by: 'one', metric: 'rate', least: 1.8 },
];

/** Those of which something was measured. */
export function judge(figures: readonly FigureResult[], memory: MemoryResult | null): AimResult[] {
  const judged = AIMS.flatMap(({ name, of, by, metric = 'cpu', most, least }): AimResult[] => {
    const own = samplesOf(figures, of, metric);
    const values = by === undefined ? own : ratios(own, samplesOf(figures, by, metric));
    if (values.length === 0 || values.some(Number.isNaN)) return [];
    const { median: value, low, high } = spreadOf(values);
    const reached = value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? 0);
    return [{ name, value, low, high, aim: most === undefined ? `≥ ${least}` : `≤ ${most}`, reached }];
  });
  if (memory) {
    const { grown } = memory;
    judged.push({
      name: `heap after ${memory.tokens} different tokens ÷ after ${memory.tokens / 5}`,
      ...{ value: grown, low: grown, high: grown, aim: '≤ 1.05', reached: grown <= 1.05 },
    });
  }
  return judged;
}
