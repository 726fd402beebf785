import type { OperationKind, RolloutDetail, RolloutStage } from '../../contract/index.ts'

/** The stages that a fleet can be brought to, in their order. */
export const FLEET_STAGES = [
  'expanded',
  'covered',
  'verified',
  'finalized',
  'enabled',
] as const satisfies RolloutStage[]
export type FleetStage = (typeof FLEET_STAGES)[number]

export interface Step {
  readonly kind: Extract<OperationKind, 'expand' | 'backfill' | 'validation' | 'finalize' | 'flag'>
  readonly parameters: Readonly<Record<string, unknown>>
}

interface StagePosition {
  /** The number of stages of FLEET_STAGES that have been reached. */
  readonly reached: number
  /** What leads to the next stage. */
  readonly next: Step['kind'] | null
}

/** Every stage has its position: a stage that is added to the contract does not compile without one. */
const POSITIONS: Readonly<Record<RolloutStage, StagePosition>> = {
  new: { reached: 0, next: 'expand' },
  'rolled-back': { reached: 0, next: 'expand' },
  expanded: { reached: 1, next: 'backfill' },
  backfilling: { reached: 1, next: 'backfill' },
  covered: { reached: 2, next: 'validation' },
  verified: { reached: 3, next: 'finalize' },
  finalized: { reached: 4, next: 'flag' },
  ramping: { reached: 4, next: 'flag' },
  enabled: { reached: 5, next: null },
  'ready-to-drop': { reached: 5, next: null },
  dropped: { reached: 5, next: null },
}

export interface Goal {
  readonly stage: FleetStage
  /** Of the keys that get the flag on. It counts for the stage `enabled` only; `ramp` goes there by the steps of the file. */
  readonly flag: { readonly percentage: number } | { readonly ramp: true }
}

type Position = Pick<RolloutDetail, 'stage' | 'flag' | 'coverage'>

/** The next operation on the way to the goal; null if the goal is reached. */
export function nextStep({ stage, flag, coverage }: Position, goal: Goal): Step | null {
  const { reached, next } = POSITIONS[stage]
  if (next === null || reached > FLEET_STAGES.indexOf(goal.stage)) return null
  if (goal.stage === 'enabled' && 'percentage' in goal.flag && flag.enabled && flag.percentage >= goal.flag.percentage)
    return null
  if (next === 'flag') return { kind: next, parameters: { enabled: true, ...goal.flag } }
  // After a rollback of the flag alone, the data are still there.
  return { kind: stage === 'rolled-back' && coverage !== null ? 'validation' : next, parameters: {} }
}
