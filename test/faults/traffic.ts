import type { Fault } from './fault.ts'
import { run } from './sql.ts'

const at = { ground: 'traffic', layer: 'performance' } as const
const latency = ['api-latency-average', 'api-latency-p95']

/** Slower, failing or less than the baseline, under the same load. */
export const trafficFaults: readonly Fault[] = [
  {
    ...at,
    name: 'application-slower',
    checks: ['api-latency-average'],
    what: 'every answer of the application takes 100 ms longer',
    follows: latency,
    seed: async ({ application }) => application.become({ listMs: 200 }),
  },
  {
    ...at,
    name: 'application-slower-at-times',
    checks: ['api-latency-p95'],
    what: 'one answer of eight takes seven times as long',
    follows: latency,
    seed: async ({ application }) => application.become({ slowest: { oneIn: 8, ms: 700 } }),
  },
  {
    ...at,
    name: 'application-fails',
    checks: ['api-error-ratio'],
    what: 'one request of twenty is answered 500',
    follows: ['error-ratio'],
    seed: async ({ application }) => application.become({ failOneIn: 20 }),
  },
  {
    ...at,
    name: 'throughput-fallen',
    checks: ['api-throughput'],
    what: 'the application answers half as many requests',
    seed: async ({ application }) => application.load(10),
  },
  {
    ...at,
    name: 'query-without-index',
    checks: ['database-query-time-each'],
    what: 'an index is gone, so that one of the application’s queries reads the whole table',
    follows: [...latency, 'database-query-time'],
    seed: run('drop index public.vehicles_vin'),
  },
  {
    ...at,
    name: 'queries-slower',
    checks: ['database-query-time'],
    what: 'what the application’s longest query waits for takes twice as long',
    follows: [...latency, 'database-query-time-each'],
    seed: run('create or replace function public.elsewhere() returns void language sql as $$ select pg_sleep(0.06) $$'),
  },
]
