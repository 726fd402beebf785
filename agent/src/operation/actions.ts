import type { Action, AllowedAction, Operation } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind } from '../engine/kind.ts'
import { runsBeside } from './beside.ts'
import { enablingRefusals } from './gate.ts'
import { next } from './states.ts'

/**
 * Every action with the reasons that refuse it now, before anybody's rights are asked. The page renders this: a
 * button, or a disabled one with its reasons. What steers an operation comes once for each open one, the writer first.
 */
export function actionsOf(facts: Facts, kinds: readonly Kind[]): AllowedAction[] {
  const kind = (name: string): Kind => kinds.find((one) => one.kind === name)!
  const current = facts.open.find((one) => !runsBeside(one)) ?? facts.open[0] ?? null
  const writer = facts.open.find((one) => !runsBeside(one))
  const alone = (reasons: string[]): string[] =>
    writer
      ? [`${writer.kind} ${writer.id} is ${writer.state}: one operation at a time writes the table.`, ...reasons]
      : reasons
  const stale = facts.flag.clients.filter((client) => client.stale)
  return [
    of('expand', alone(kind('expand').refusals(facts, {}))),
    of('baseline', kind('baseline').refusals(facts, {})),
    of('import-baseline', []),
    of('backfill', alone(kind('backfill').refusals(facts, {}))),
    of('validation', kind('validation').refusals(facts, {})),
    of('finalize', alone(kind('finalize').refusals(facts, {}))),
    of('enable', enablingRefusals(facts)),
    of('ramp', kind('flag').refusals(facts, { enabled: true, ramp: true })),
    of('disable', []),
    of('rollback-flag', []),
    of('rollback-data', alone(kind('rollback').refusals(facts, { scope: 'data' }))),
    of('rollback-system', alone(kind('rollback').refusals(facts, { scope: 'system' }))),
    of('retry-failed-rows', alone(kind('backfill').refusals(facts, { failedRowsOnly: true }))),
    of('accept-failed-rows', facts.failedRows > 0 ? [] : ['There is no failed row.']),
    of('accept-client', stale.length > 0 ? [] : ['No client of the flag is stale.']),
    of('adopt', []),
    of('monitoring', kind('monitoring').refusals(facts, {})),
    of('rollback-monitoring', kind('rollback').refusals(facts, { scope: 'monitoring' })),
    of('promote', facts.promotion === null ? ['The rollout file wants no promotion in this environment.'] : []),
    of('attest', []),
    of('rehearse', kind('rehearsal').refusals(facts, {})),
    of('automatic-rollback', []),
    of('acknowledge', []),
    of('drill', []),
    of('prepare-column-drop', alone(kind('column-drop').refusals(facts, {}))),
    // Whether it has to be exported first or forced is chosen in its confirmation.
    of('remove-archive', alone(kind('archive-removal').refusals(facts, { force: true }))),
    ...[current, ...facts.open.filter((one) => one !== current)].flatMap((one) =>
      (['pause', 'resume', 'cancel'] as const).map((action) => of(action, steering(one, action), one)),
    ),
    of('tune', current?.kind === 'backfill' ? [] : ['No backfill is open.'], current),
  ]
}

function of(action: Action, reasons: readonly string[], operation: Operation | null = null): AllowedAction {
  return { action, allowed: reasons.length === 0, reasons: [...reasons], operationId: operation?.id ?? null }
}

function steering(operation: Operation | null, cause: 'pause' | 'resume' | 'cancel'): string[] {
  if (operation === null) return ['No operation is open.']
  return next(operation.state, cause) === null ? [`${operation.kind} ${operation.id} is ${operation.state}.`] : []
}
