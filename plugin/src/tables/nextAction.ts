import type { Group, OperationAction, RolloutStage } from '@sti-rollout/agent/contract'

/** The steps of several tables in their order, each with the stages that it takes further. */
const STEPS = [
  ['expand', ['new', 'rolled-back']],
  ['backfill', ['expanded', 'backfilling']],
  ['validation', ['covered']],
  ['finalize', ['verified']],
] as const satisfies ReadonlyArray<readonly [OperationAction, readonly RolloutStage[]]>

export const FORWARD_ACTIONS_OF_TABLES = [...STEPS.map(([action]) => action), 'enable'] as const

/** The step of the table that is furthest behind; null: nothing is left to do. */
export function nextActionOfTables({
  stages,
  total,
  flag,
}: Pick<Group, 'stages' | 'total' | 'flag'>): OperationAction | null {
  if (total === 0) return 'expand'
  const step = STEPS.find(([, from]) => from.some((stage) => (stages[stage] ?? 0) > 0))
  if (step !== undefined) return step[0]
  return flag.enabled && flag.percentage >= 100 ? null : 'enable'
}
