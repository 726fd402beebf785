import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { environment: 'partitions', layer: 'integrity' } as const

/** Faults in a partitioned table whose type condition can raise an error. */
export const partitionFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'trigger-off-on-a-partition',
    checks: ['dual-write-trigger'],
    what: 'the dual-write trigger does not fire on one partition',
    follows: ['dual-write-canary'],
    seed: runStatements('alter table public.vehicles_2 disable trigger "~sti_derive"'),
  },
  {
    ...shared,
    name: 'partition-truncated',
    checks: ['nothing-lost'],
    what: 'one partition was truncated',
    follows: ['legacy-checksum'],
    seed: runStatements('truncate public.vehicles_1'),
  },
  {
    ...shared,
    name: 'partition-detached',
    checks: ['nothing-lost'],
    what: 'one partition was detached',
    follows: ['legacy-checksum'],
    seed: runStatements('alter table public.vehicles detach partition public.vehicles_3'),
  },
  {
    ...shared,
    name: 'expression-raises',
    checks: ['expression-never-raises'],
    what: 'a condition of the rollout file raises an error on a row (division by zero)',
    follows: ['coverage', 'no-null-type', 'type-matches-legacy'],
    seed: runStatements('update public.vehicles set weight = 0 where id = 17'),
  },
]
