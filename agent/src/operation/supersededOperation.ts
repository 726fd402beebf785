import { operationName, type OperationKind } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { OperationRow } from './operationRow.ts'

/** A repeated request whose effect is gone: to answer `succeeded` would be untrue. */
export class SupersededOperation extends Error {
  readonly code = 'superseded'
}

type LaterOperation = Pick<OperationRow, 'id' | 'kind' | 'parameters'>

const isRollback =
  (...scopes: readonly string[]) =>
  ({ kind, parameters }: LaterOperation): boolean =>
    kind === 'rollback' && scopes.includes(String(parameters['scope']))
const isMonitoring =
  (enabled: boolean) =>
  ({ kind, parameters }: LaterOperation): boolean =>
    kind === 'monitoring' && (parameters['enabled'] !== false) === enabled
const isKind =
  (wanted: OperationKind) =>
  ({ kind }: LaterOperation): boolean =>
    kind === wanted

/** The later operations that end the effect of an operation. What only measures or checks has no effect to end. */
function undoing({ kind, parameters }: OperationRow): ((later: LaterOperation) => boolean)[] {
  switch (kind) {
    case 'expand':
    case 'backfill':
    case 'finalize':
      return [isRollback('data', 'system')]
    case 'monitoring':
      return parameters['enabled'] === false
        ? [isMonitoring(true)]
        : [isRollback('monitoring', 'system'), isMonitoring(false)]
    case 'rollback':
      return parameters['scope'] === 'monitoring' ? [isMonitoring(true)] : [isKind('expand')]
    case 'column-drop':
      return [isKind('archive-removal')]
    case 'archive-removal':
      return [isKind('column-drop')]
    default:
      return []
  }
}

/**
 * For an operation that a repeated Idempotency-Key names.
 * @throws SupersededOperation if it succeeded and its effect is gone
 */
export async function requireInEffect(sql: Sql, operation: OperationRow): Promise<void> {
  if (operation.state !== 'succeeded') return
  const changesFlag = operation.kind === 'flag' || operation.parameters['scope'] === 'flag'
  const ended = changesFlag ? await describeFlagChange(sql, operation) : await describeUndoing(sql, operation)
  if (ended === null) return
  throw new SupersededOperation(
    `This Idempotency-Key was used for ${operationName(operation)}, which succeeded, but ${ended} since: check the state (sti status), and send a new key to do it again.`,
  )
}

async function describeUndoing(sql: Sql, operation: OperationRow): Promise<string | null> {
  const conditions = undoing(operation)
  if (conditions.length === 0) return null
  const later = await sql<LaterOperation[]>`
    select id, kind, parameters from sti.operation
    where rollout = ${operation.rollout} and id > ${operation.id} and state = 'succeeded'
      and kind in ('expand', 'rollback', 'monitoring', 'column-drop', 'archive-removal') order by id`
  const undone = later.find((candidate) => conditions.some((undoes) => undoes(candidate)))
  return undone === undefined ? null : `${operationName(undone)} has undone it`
}

async function describeFlagChange(sql: Sql, { id, rollout, parameters }: OperationRow): Promise<string | null> {
  const [flag] = await sql<{ enabled: boolean; percentage: number; by: OperationRow['parameters'] | null }[]>`
    select f.enabled, f.percentage::float8 as percentage, o.parameters as by
    from sti.flag f left join sti.operation o on o.id = f.operation_id where f.rollout = ${rollout}`
  if (flag === undefined) return null
  const asked = parameters['enabled'] === true
  const isAsAsked =
    parameters['ramp'] === true
      ? flag.enabled && flag.by?.['rampOperation'] === Number(id)
      : flag.enabled === asked && (!asked || flag.percentage === parameters['percentage'])
  return isAsAsked ? null : `the flag was turned ${flag.enabled ? `on for ${flag.percentage}%` : 'off'}`
}
