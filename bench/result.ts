import type { Machine } from './machine.ts';

/** What one figure was in one round. */
export interface Sample {
  /** Microseconds of processor time of the server's own process for each request. */
  cpu?: number;
  /** Requests a second. */
  rate?: number;
  /** Milliseconds, 99 of 100 requests. */
  p99?: number;
  /** Calls of the store for each request. */
  queries?: number;
  /** Milliseconds of processor time of a process. */
  milliseconds?: number;
}

export type Metric = keyof Sample;

export interface FigureResult {
  id: string;
  name: string;
  /** By metric, round by round. */
  samples: { [M in Metric]?: number[] };
}

export interface AimResult {
  name: string;
  value: number;
  low: number;
  high: number;
  aim: string;
  reached: boolean;
}

export interface MemoryResult {
  bytesPerSession: number;
  tokens: number;
  heapsMB: number[];
  grown: number;
}

/** What a run has found: what `BENCH_JSON` holds. */
export interface Result {
  date: string;
  minutes: number;
  rounds: number;
  machine: Machine;
  /** How each server was set up. */
  configuration: { [server: string]: string };
  figures: FigureResult[];
  aims: AimResult[];
  memory: MemoryResult | null;
  /** The share of the machine that other processes took, round by round. Null where it cannot be told. */
  others: (number | null)[];
  /** Why the run should be repeated. Empty: it need not. */
  busy: string[];
}

export function samplesOf(figures: readonly FigureResult[], id: string, metric: Metric): number[] {
  return figures.find((figure) => figure.id === id)?.samples[metric] ?? [];
}
