import type { Fault } from './fault.ts'
import { run } from './sql.ts'

const at = { ground: 'partitions', layer: 'integrity' } as const

/** Of a partitioned table, with a condition that can raise. */
export const partitionFaults: readonly Fault[] = [
  {
    ...at,
    name: 'trigger-off-on-a-partition',
    checks: ['dual-write-trigger'],
    what: 'the dual-write trigger does not fire on one partition',
    follows: ['dual-write-canary'],
    seed: run('alter table public.vehicles_2 disable trigger "~sti_derive"'),
  },
  {
    ...at,
    name: 'partition-truncated',
    checks: ['nothing-lost'],
    what: 'one partition was truncated',
    follows: ['legacy-checksum'],
    seed: run('truncate public.vehicles_1'),
  },
  {
    ...at,
    name: 'partition-detached',
    checks: ['nothing-lost'],
    what: 'one partition was detached',
    follows: ['legacy-checksum'],
    seed: run('alter table public.vehicles detach partition public.vehicles_3'),
  },
  {
    ...at,
    name: 'expression-raises',
    checks: ['expression-never-raises'],
    what: 'the conditions of the file raise an error on a row: it divides by zero',
    follows: ['coverage', 'no-null-type', 'type-matches-legacy'],
    seed: run('update public.vehicles set weight = 0 where id = 17'),
  },
]
