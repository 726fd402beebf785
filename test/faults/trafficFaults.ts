import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { environment: 'traffic', layer: 'performance' } as const
const LATENCY_CHECKS = ['api-latency-average', 'api-latency-p95']

/** The application is slower, fails, or serves fewer requests than in the baseline under the same load. */
export const trafficFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'application-slower',
    checks: ['api-latency-average'],
    what: 'every response of the application takes 100 ms longer',
    follows: LATENCY_CHECKS,
    seed: async ({ application }) => application.become({ listMs: 200 }),
  },
  {
    ...shared,
    name: 'application-slower-at-times',
    checks: ['api-latency-p95'],
    what: 'one in eight responses takes seven times as long',
    follows: LATENCY_CHECKS,
    seed: async ({ application }) => application.become({ slowest: { oneIn: 8, ms: 700 } }),
  },
  {
    ...shared,
    name: 'application-fails',
    checks: ['api-error-ratio'],
    what: 'one in twenty requests returns HTTP 500',
    follows: ['error-ratio'],
    seed: async ({ application }) => application.become({ failOneIn: 20 }),
  },
  {
    ...shared,
    name: 'throughput-fallen',
    checks: ['api-throughput'],
    what: 'the application serves half as many requests',
    seed: async ({ application }) => application.load(10),
  },
  {
    ...shared,
    name: 'query-without-index',
    checks: ['database-query-time-each'],
    what: 'an index was dropped, so one of the application’s queries reads the whole table',
    follows: [...LATENCY_CHECKS, 'database-query-time'],
    seed: runStatements('drop index public.vehicles_vin'),
  },
  {
    ...shared,
    name: 'queries-slower',
    checks: ['database-query-time'],
    what: 'a function in the application’s longest query takes twice as long',
    follows: [...LATENCY_CHECKS, 'database-query-time-each'],
    seed: runStatements(
      'create or replace function public.elsewhere() returns void language sql as $$ select pg_sleep(0.06) $$',
    ),
  },
]
