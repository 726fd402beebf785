import {
  Action,
  OPERATION_ACTIONS,
  operationName,
  writesTable,
  type AllowedAction,
  type Operation,
  type OperationAction,
  type OtherAction,
} from '../contract/index.ts'
import { findWriter, type RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import { nextState } from './stateMachine.ts'

const CONTROLS = ['pause', 'resume', 'cancel'] as const
type Control = (typeof CONTROLS)[number]

/** Why an action that starts no operation is refused; an action that is missing here does not compile. */
const OTHER_REFUSALS: Record<Exclude<OtherAction, Control | 'tune'>, (facts: RolloutFacts) => readonly string[]> = {
  'import-baseline': () => [],
  'accept-failed-rows': ({ failedRows }) => (failedRows > 0 ? [] : ['There are no failed rows.']),
  'accept-client': ({ flag }) => acceptRefusals(flag),
  'accept-check': () => [],
  adopt: () => [],
  promote: ({ promotion }) =>
    promotion === null ? ['The rollout file does not require a promotion in this environment.'] : [],
  attest: () => [],
  'automatic-rollback': () => [],
  acknowledge: () => [],
  drill: () => [],
}

/**
 * Every action with the reasons that refuse it now, before rights are checked. The UI renders them as buttons, or as
 * disabled buttons with their reasons. Pause, resume, and cancel are listed once per open operation, the writer first.
 */
export function listAllowedActions(facts: RolloutFacts, kinds: OperationDefinitions): AllowedAction[] {
  const current = findWriter(facts) ?? facts.openOperations[0] ?? null
  return [
    ...(Object.keys(OPERATION_ACTIONS) as OperationAction[]).map((action) =>
      toAllowedAction(action, startRefusals(facts, kinds, action)),
    ),
    ...(Object.keys(OTHER_REFUSALS) as (keyof typeof OTHER_REFUSALS)[]).map((action) =>
      toAllowedAction(action, OTHER_REFUSALS[action](facts)),
    ),
    ...[current, ...facts.openOperations.filter((open) => open !== current)].flatMap(listControls),
    toAllowedAction('tune', current?.kind === 'backfill' ? [] : ['No backfill is open.'], current),
  ]
}

/** Pause, resume, and cancel of an operation; null: none is open. */
export function listControls(operation: Operation | null): AllowedAction[] {
  return CONTROLS.map((control) => toAllowedAction(control, controlRefusals(operation, control), operation))
}

function startRefusals(facts: RolloutFacts, kinds: OperationDefinitions, action: OperationAction): string[] {
  const { kind, parameters } = OPERATION_ACTIONS[action]
  const request = { kind, parameters: parameters as Record<string, unknown> }
  const writer = writesTable(request) ? findWriter(facts) : null
  return [...(writer === null ? [] : [describeWriter(writer)]), ...kinds[kind].refusals(facts, request.parameters)]
}

export const describeWriter = (writer: Operation): string =>
  `${operationName(writer)} is ${writer.state}: only one operation at a time can write the table.`

export function toAllowedAction(
  action: Action,
  reasons: readonly string[],
  operation: Operation | null = null,
): AllowedAction {
  return { action, allowed: reasons.length === 0, reasons: [...reasons], operationId: operation?.id ?? null }
}

function controlRefusals(operation: Operation | null, control: Control): string[] {
  if (operation === null) return ['No operation is open.']
  return nextState(operation.state, control) === null ? [`${operationName(operation)} is ${operation.state}.`] : []
}

function acceptRefusals({ clients }: RolloutFacts['flag']): string[] {
  const stale = clients.filter((client) => client.stale)
  if (stale.length === 0) return ['No client of the flag is stale.']
  if (stale.some(({ silent }) => silent)) return []
  return ['Each stale client sent a request in the last 60 s, or needs no acceptance: wait.']
}
