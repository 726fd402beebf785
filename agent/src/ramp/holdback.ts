import type { FlagStatus } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** How far the flag may go now: `flag.holdback` keeps a control group until the flag has soaked. */
export interface Holdback {
  /** The highest percentage that is allowed now. */
  readonly maximum: number
  /** When 100% becomes allowed, in milliseconds since 1970; null: it is allowed, or the flag is not at the maximum yet. */
  readonly until: number | null
}

/** The flag has to stay at the highest percentage with a control group for the soak time before it reaches 100%. */
export function readHoldback(
  { file }: Pick<Rollout, 'file'>,
  { enabled, percentage, changedAt }: Pick<FlagStatus, 'enabled' | 'percentage' | 'changedAt'>,
  now: number,
): Holdback {
  const held = 100 - file.flag.holdback
  if (file.flag.holdback === 0) return { maximum: 100, until: null }
  if (!enabled || percentage < held || changedAt === null) return { maximum: held, until: null }
  const until = Date.parse(changedAt) + file.soak * 1_000
  return percentage >= 100 || now >= until ? { maximum: 100, until: null } : { maximum: held, until }
}
