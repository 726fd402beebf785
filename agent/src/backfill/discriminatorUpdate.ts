import type { ColumnUpdate } from '../engine/columnUpdate.ts'
import type { KeyColumn, Rollout } from '../rollout/rollout.ts'

/** Gives every row the type that its legacy columns say. */
export function discriminatorUpdate(rollout: Rollout, key: readonly KeyColumn[]): ColumnUpdate {
  const derived = rollout.derive('t')
  return {
    rollout: rollout.name,
    key,
    column: rollout.discriminator.sql,
    value: derived,
    needsUpdate: `t.${rollout.discriminator.sql} is distinct from ${derived}`,
    unmapped: rollout.mayBeUnmapped ? `${derived} is null` : null,
  }
}
