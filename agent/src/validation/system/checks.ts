import type { Check } from '../check.ts'
import { archiver } from './archiver.ts'
import { autovacuum } from './autovacuum.ts'
import { bloat } from './bloat.ts'
import { errorRatio } from './errorRatio.ts'
import { longTransactions } from './longTransactions.ts'
import { ownSignals } from './ownSignals.ts'
import { replicationLag } from './replicationLag.ts'
import { slots } from './slots.ts'
import { usage } from './usage.ts'

/** The system layer: do the machine and PostgreSQL bear it. */
export const SYSTEM: readonly Check[] = [
  usage('cpu', 'host-cpu', 'processor time'),
  usage('memory', 'host-memory', 'memory'),
  usage('disk', 'host-disk', 'disk space'),
  usage('connections', 'connections', 'of the connections'),
  replicationLag,
  slots,
  archiver,
  autovacuum,
  bloat,
  longTransactions,
  errorRatio,
  ownSignals,
]
