import { boundedName, quote } from '../rollout/names.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** What became of a write of legacy columns and a type that disagree. */
export const RESOLUTIONS = ['refused', 'legacy', 'type'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

/**
 * The sequence that counts one sort of conflict. A row would either make writers wait for each other, or be rolled back
 * together with the write that was refused; a sequence does neither.
 */
export function counterName({ name }: Pick<Rollout, 'name'>, resolution: Resolution): string {
  return boundedName(`conflicts_${resolution}`, name)
}

export const counterSql = (rollout: Pick<Rollout, 'name'>, resolution: Resolution): string =>
  `sti.${quote(counterName(rollout, resolution))}`
