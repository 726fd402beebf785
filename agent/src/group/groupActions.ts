import {
  OPERATION_ACTIONS,
  writesTable,
  type AllowedAction,
  type FlagStatus,
  type Operation,
  type OperationAction,
} from '../contract/index.ts'
import { describeWriter, listControls, toAllowedAction } from '../operation/allowedActions.ts'

/** What can be done with several tables, in the order of the steps. */
const GROUP_ACTIONS: readonly OperationAction[] = [
  'expand',
  'backfill',
  'validation',
  'finalize',
  'enable',
  'disable',
  'rollback-flag',
  'rollback-data',
  'rollback-system',
]

/**
 * Each action of a group with what refuses it before its tables are read, which the preview of an operation does: a page
 * polls this.
 */
export function listGroupActions(running: Operation | null, flag: FlagStatus): AllowedAction[] {
  return [
    ...GROUP_ACTIONS.map((action) => {
      const { kind, parameters } = OPERATION_ACTIONS[action]
      const writes = writesTable({ kind, parameters: parameters as Record<string, unknown> })
      return toAllowedAction(action, [
        ...(running !== null && writes ? [describeWriter(running)] : []),
        ...(kind === 'backfill' && flag.enabled ? [FLAG_IS_ON] : []),
      ])
    }),
    ...listControls(running),
  ]
}

export const FLAG_IS_ON = 'The flag is on. Turn it off before the backfill.'
