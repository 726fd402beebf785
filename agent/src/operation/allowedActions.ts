import type { Action, AllowedAction, Operation } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import { runsConcurrently } from './runsConcurrently.ts'
import { enableRefusals } from './enablePrerequisites.ts'
import { nextState } from './stateMachine.ts'

/**
 * Every action with the reasons that refuse it now, before anybody's rights are asked. The page renders this: a
 * button, or a disabled one with its reasons. What steers an operation comes once for each open one, the writer first.
 */
export function listAllowedActions(facts: RolloutFacts, kinds: readonly OperationDefinition[]): AllowedAction[] {
  const requireKind = (name: string): OperationDefinition => kinds.find((one) => one.kind === name)!
  const current = facts.openOperations.find((one) => !runsConcurrently(one)) ?? facts.openOperations[0] ?? null
  const writer = facts.openOperations.find((one) => !runsConcurrently(one))
  const unlessTableIsWritten = (reasons: string[]): string[] =>
    writer
      ? [`${writer.kind} ${writer.id} is ${writer.state}: one operation at a time writes the table.`, ...reasons]
      : reasons
  const stale = facts.flag.clients.filter((client) => client.stale)
  return [
    toAllowedAction('expand', unlessTableIsWritten(requireKind('expand').refusals(facts, {}))),
    toAllowedAction('baseline', requireKind('baseline').refusals(facts, {})),
    toAllowedAction('import-baseline', []),
    toAllowedAction('backfill', unlessTableIsWritten(requireKind('backfill').refusals(facts, {}))),
    toAllowedAction('validation', requireKind('validation').refusals(facts, {})),
    toAllowedAction('finalize', unlessTableIsWritten(requireKind('finalize').refusals(facts, {}))),
    toAllowedAction('enable', enableRefusals(facts)),
    toAllowedAction('ramp', requireKind('flag').refusals(facts, { enabled: true, ramp: true })),
    toAllowedAction('disable', []),
    toAllowedAction('rollback-flag', []),
    toAllowedAction('rollback-data', unlessTableIsWritten(requireKind('rollback').refusals(facts, { scope: 'data' }))),
    toAllowedAction(
      'rollback-system',
      unlessTableIsWritten(requireKind('rollback').refusals(facts, { scope: 'system' })),
    ),
    toAllowedAction(
      'retry-failed-rows',
      unlessTableIsWritten(requireKind('backfill').refusals(facts, { failedRowsOnly: true })),
    ),
    toAllowedAction('accept-failed-rows', facts.failedRows > 0 ? [] : ['There is no failed row.']),
    toAllowedAction('accept-client', stale.length > 0 ? [] : ['No client of the flag is stale.']),
    toAllowedAction('adopt', []),
    toAllowedAction('monitoring', requireKind('monitoring').refusals(facts, {})),
    toAllowedAction('rollback-monitoring', requireKind('rollback').refusals(facts, { scope: 'monitoring' })),
    toAllowedAction(
      'promote',
      facts.promotion === null ? ['The rollout file wants no promotion in this environment.'] : [],
    ),
    toAllowedAction('attest', []),
    toAllowedAction('rehearse', requireKind('rehearsal').refusals(facts, {})),
    toAllowedAction('automatic-rollback', []),
    toAllowedAction('acknowledge', []),
    toAllowedAction('drill', []),
    toAllowedAction('prepare-column-drop', unlessTableIsWritten(requireKind('column-drop').refusals(facts, {}))),
    // Whether it has to be exported first or forced is chosen in its confirmation.
    toAllowedAction(
      'remove-archive',
      unlessTableIsWritten(requireKind('archive-removal').refusals(facts, { force: true })),
    ),
    ...[current, ...facts.openOperations.filter((one) => one !== current)].flatMap((one) =>
      (['pause', 'resume', 'cancel'] as const).map((action) =>
        toAllowedAction(action, controlRefusals(one, action), one),
      ),
    ),
    toAllowedAction('tune', current?.kind === 'backfill' ? [] : ['No backfill is open.'], current),
  ]
}

function toAllowedAction(
  action: Action,
  reasons: readonly string[],
  operation: Operation | null = null,
): AllowedAction {
  return { action, allowed: reasons.length === 0, reasons: [...reasons], operationId: operation?.id ?? null }
}

function controlRefusals(operation: Operation | null, cause: 'pause' | 'resume' | 'cancel'): string[] {
  if (operation === null) return ['No operation is open.']
  return nextState(operation.state, cause) === null ? [`${operation.kind} ${operation.id} is ${operation.state}.`] : []
}
