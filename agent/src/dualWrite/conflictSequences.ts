import { boundedName, quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** What became of a write of legacy columns and a type that disagree. */
export const CONFLICT_RESOLUTIONS = ['refused', 'legacy', 'type'] as const
export type ConflictResolution = (typeof CONFLICT_RESOLUTIONS)[number]

/**
 * The sequence that counts one sort of conflict. A row would either make writers wait for each other, or be rolled back
 * together with the write that was refused; a sequence does neither.
 */
export function conflictSequenceName({ name }: Pick<Rollout, 'name'>, resolution: ConflictResolution): string {
  return boundedName(`conflicts_${resolution}`, name)
}

export const conflictSequenceSql = (rollout: Pick<Rollout, 'name'>, resolution: ConflictResolution): string =>
  `sti.${quoteIdentifier(conflictSequenceName(rollout, resolution))}`
