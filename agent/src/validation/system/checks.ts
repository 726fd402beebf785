import type { ValidationCheck } from '../check.ts'
import { archiver } from './archiver.ts'
import { autovacuum } from './autovacuum.ts'
import { bloat } from './bloat.ts'
import { errorRatio } from './errorRatio.ts'
import { longTransactions } from './longTransactions.ts'
import { customSignals } from './customSignals.ts'
import { replicationLag } from './replicationLag.ts'
import { replicationSlots } from './replicationSlots.ts'
import { resourceUsageCheck } from './resourceUsage.ts'

/** The system layer: do the machine and PostgreSQL bear it. */
export const SYSTEM_CHECKS: readonly ValidationCheck[] = [
  resourceUsageCheck('cpu', 'host-cpu', 'processor time'),
  resourceUsageCheck('memory', 'host-memory', 'memory'),
  resourceUsageCheck('disk', 'host-disk', 'disk space'),
  resourceUsageCheck('connections', 'connections', 'of the connections'),
  replicationLag,
  replicationSlots,
  archiver,
  autovacuum,
  bloat,
  longTransactions,
  errorRatio,
  customSignals,
]
