import { RollbackParameters, type OperationKind, type RolloutStage } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import { requiredRowLayers } from '../kind/verification.ts'
import { isCovered } from '../operation/rolloutStage.ts'
import type { OperationRow } from '../operation/operationRow.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** The kinds of operation that run in every table of a group. */
export const GROUP_KINDS = ['expand', 'backfill', 'validation', 'finalize', 'rollback'] as const
export type GroupKind = (typeof GROUP_KINDS)[number]

export const isGroupKind = (kind: OperationKind): kind is GroupKind => GROUP_KINDS.some((each) => each === kind)

/** True if a table is already where the operation would bring it: a repeated operation is only for the others. */
export function isDone(
  kinds: OperationDefinitions,
  kind: GroupKind,
  facts: RolloutFacts,
  parameters: Record<string, unknown>,
): boolean {
  switch (kind) {
    case 'expand':
      return facts.expanded && facts.derivationChange === null
    case 'backfill':
      return isCovered(facts) && facts.failedRows === 0
    case 'validation':
      return false
    case 'finalize':
      return facts.expanded && facts.finalizeMissing.length === 0
    case 'rollback':
      return kinds.rollback.nothingToRollBack?.(facts, parameters) === true
  }
}

/** The parameters of the operation in one table. Performance and system are judged for the group, not for a table. */
export function childParameters(
  kind: GroupKind,
  child: Rollout,
  parameters: Record<string, unknown>,
): Record<string, unknown> {
  const { atOnce: _, rollbackOnError: __, ...own } = parameters
  if (kind === 'rollback') return { ...own, confirm: child.name }
  if (kind !== 'validation' || own['layers'] !== undefined || own['checks'] !== undefined) return own
  return { ...own, layers: requiredRowLayers(child.file.validation.requires) }
}

/** Where an operation that ended has brought its table. */
export function stageAfter(row: OperationRow, before: RolloutStage): RolloutStage {
  if (row.state !== 'succeeded') return before
  switch (row.kind) {
    case 'expand':
      return 'expanded'
    case 'backfill':
      return before === 'finalized' ? before : 'covered'
    case 'validation':
      return row.result?.['verdict'] === 'pass' && before === 'covered' ? 'verified' : before
    case 'finalize':
      return 'finalized'
    case 'rollback':
      return RollbackParameters.parse(row.parameters).scope === 'flag' ? before : 'rolled-back'
    default:
      return before
  }
}

/** Why a table needs a person although its operation succeeded; null: it does not. */
export function childFault(row: OperationRow): string | null {
  const { result } = row
  if (row.state !== 'succeeded') return row.error
  if (row.kind === 'validation' && result?.['verdict'] !== 'pass')
    return `Validation ${row.id}: ${String(result?.['verdict'])}.`
  const failedRows = row.kind === 'backfill' ? Number(result?.['failedRows'] ?? 0) : 0
  return failedRows > 0 ? `${failedRows} rows failed.` : null
}
