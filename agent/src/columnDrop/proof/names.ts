import type { Rollout } from '../../rollout/rollout.ts'
import { quote } from '../../rollout/names.ts'

/** The schema that holds the copy. */
export const proofSchema = (operationId: bigint): string => `sti_proof_${operationId}`

/** The rollout, as if it were of the copy: with a name and a table of its own. */
export function rolloutOfCopy(rollout: Rollout, operationId: bigint): Rollout {
  const schema = proofSchema(operationId)
  return {
    ...rollout,
    name: `proof-${operationId}`,
    table: { schema, name: rollout.table.name, sql: `${quote(schema)}.${quote(rollout.table.name)}` },
  }
}
