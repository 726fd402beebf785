import { boundedName, quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** Outcomes of a write whose legacy columns and type disagree. */
export const CONFLICT_RESOLUTIONS = ['refused', 'legacy', 'type'] as const
export type ConflictResolution = (typeof CONFLICT_RESOLUTIONS)[number]

/**
 * The sequence that counts conflicts with this outcome. A counter in a row would make writers wait for each other and would
 * be rolled back with a refused write; a sequence avoids both.
 */
export function conflictSequenceName({ name }: Pick<Rollout, 'name'>, resolution: ConflictResolution): string {
  return boundedName(`conflicts_${resolution}`, name)
}

export const conflictSequenceSql = (rollout: Pick<Rollout, 'name'>, resolution: ConflictResolution): string =>
  `sti.${quoteIdentifier(conflictSequenceName(rollout, resolution))}`
