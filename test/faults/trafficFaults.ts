import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { ground: 'traffic', layer: 'performance' } as const
const LATENCY_CHECKS = ['api-latency-average', 'api-latency-p95']

/** Slower, failing or less than the baseline, under the same load. */
export const trafficFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'application-slower',
    checks: ['api-latency-average'],
    what: 'every answer of the application takes 100 ms longer',
    follows: LATENCY_CHECKS,
    seed: async ({ application }) => application.become({ listMs: 200 }),
  },
  {
    ...shared,
    name: 'application-slower-at-times',
    checks: ['api-latency-p95'],
    what: 'one answer of eight takes seven times as long',
    follows: LATENCY_CHECKS,
    seed: async ({ application }) => application.become({ slowest: { oneIn: 8, ms: 700 } }),
  },
  {
    ...shared,
    name: 'application-fails',
    checks: ['api-error-ratio'],
    what: 'one request of twenty is answered 500',
    follows: ['error-ratio'],
    seed: async ({ application }) => application.become({ failOneIn: 20 }),
  },
  {
    ...shared,
    name: 'throughput-fallen',
    checks: ['api-throughput'],
    what: 'the application answers half as many requests',
    seed: async ({ application }) => application.load(10),
  },
  {
    ...shared,
    name: 'query-without-index',
    checks: ['database-query-time-each'],
    what: 'an index is gone, so that one of the application’s queries reads the whole table',
    follows: [...LATENCY_CHECKS, 'database-query-time'],
    seed: runStatements('drop index public.vehicles_vin'),
  },
  {
    ...shared,
    name: 'queries-slower',
    checks: ['database-query-time'],
    what: 'what the application’s longest query waits for takes twice as long',
    follows: [...LATENCY_CHECKS, 'database-query-time-each'],
    seed: runStatements(
      'create or replace function public.elsewhere() returns void language sql as $$ select pg_sleep(0.06) $$',
    ),
  },
]
