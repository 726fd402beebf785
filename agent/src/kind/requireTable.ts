import type { Table } from '../rollout/rollout.ts'
import { OperationFailedError } from './operationErrors.ts'
import type { RolloutFacts } from './facts.ts'

/** The table as in the catalog. @throws OperationFailedError with the reason why it could not be read */
export function requireTable({ table, faults, rollout }: RolloutFacts): Table {
  if (table !== null) return table
  throw new OperationFailedError(
    'table',
    faults.join(' ') || `${rollout.table.sql} could not be read: see the log of the agent.`,
  )
}
