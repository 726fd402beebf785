import type { Rollout } from '../../rollout/rollout.ts'
import { quoteIdentifier } from '../../rollout/identifiers.ts'

/** The schema that holds the copy. */
export const trialSchema = (operationId: bigint): string => `sti_proof_${operationId}`

/** The rollout, as if it were of the copy: with a name and a table of its own. */
export function trialRollout(rollout: Rollout, operationId: bigint): Rollout {
  const schema = trialSchema(operationId)
  return {
    ...rollout,
    name: `proof-${operationId}`,
    table: {
      schema,
      name: rollout.table.name,
      sql: `${quoteIdentifier(schema)}.${quoteIdentifier(rollout.table.name)}`,
    },
  }
}
