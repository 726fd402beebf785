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

/** The system layer: the machine and PostgreSQL cope with the rollout. */
export const SYSTEM_CHECKS: readonly ValidationCheck[] = [
  resourceUsageCheck('cpu', 'host-cpu', 'CPU usage'),
  resourceUsageCheck('memory', 'host-memory', 'Memory usage'),
  resourceUsageCheck('disk', 'host-disk', 'Disk usage'),
  resourceUsageCheck('connections', 'connections', 'Connection usage'),
  replicationLag,
  replicationSlots,
  archiver,
  autovacuum,
  bloat,
  longTransactions,
  errorRatio,
  customSignals,
]
