import type { Server } from '../children.ts';
import { IMPORTS, importCost } from '../import-cost.ts';
import type { Sample } from '../result.ts';
import type { Measurement, Size } from './measurement.ts';

/** What in-process.ts measures. */
export function resolving(inProcess: Server, { resolutions }: Size): Measurement {
  return {
    figures: {
      'in-process-stateful': 'resolving a session in process, stateful',
      'in-process-stateful-floor': 'by hand: HMAC and a row of SQLite',
      'in-process-stateless': 'resolving a session in process, stateless',
      'in-process-stateless-floor': 'by hand: HMAC and a Map',
    },
    async measure(round) {
      const found = await inProcess.ask<{ [name: string]: number }>('resolving', {
        ...{ count: resolutions, reversed: round % 2 > 0 },
      });
      const of = (name: string): Sample => ({ cpu: found[name] ?? Number.NaN });
      return {
        'in-process-stateful': of('stateful'),
        'in-process-stateful-floor': of('statefulFloor'),
        'in-process-stateless': of('stateless'),
        'in-process-stateless-floor': of('statelessFloor'),
      };
    },
  };
}

export function importing(): Measurement {
  return {
    figures: {
      import: "import('graphql-accounts')",
      'import-needed': "import('graphql'), import('jsonwebtoken')",
    },
    async measure() {
      const nothing = importCost(IMPORTS.nothing);
      return {
        import: { milliseconds: importCost(IMPORTS.ours) - nothing },
        'import-needed': { milliseconds: importCost(IMPORTS.needed) - nothing },
      };
    },
  };
}
