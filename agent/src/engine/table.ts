import type { Table } from '../rollout/rollout.ts'
import { OperationFailure } from './errors.ts'
import type { Facts } from './facts.ts'

/** The table as the catalog has it. @throws OperationFailure with the reason why it could not be read */
export function demandTable({ table, faults, rollout }: Facts): Table {
  if (table !== null) return table
  throw new OperationFailure(
    'table',
    faults.join(' ') || `${rollout.table.sql} could not be read: look at the agent’s log.`,
  )
}
