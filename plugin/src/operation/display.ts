import type { Operation, OperationKind, OperationState } from '@sti-rollout/agent/contract'
import type { BadgeColor, IconName } from '@grafana/ui'

/** How each state of an operation looks. */
export const OPERATION_STATE_DISPLAY = {
  queued: { color: 'blue', icon: 'clock-nine', ended: false },
  running: { color: 'blue', icon: 'sync', ended: false },
  pausing: { color: 'orange', icon: 'pause', ended: false },
  paused: { color: 'orange', icon: 'pause', ended: false },
  cancelling: { color: 'orange', icon: 'times', ended: false },
  cancelled: { color: 'purple', icon: 'times', ended: true },
  succeeded: { color: 'green', icon: 'check', ended: true },
  failed: { color: 'red', icon: 'exclamation-triangle', ended: true },
} as const satisfies Record<OperationState, { color: BadgeColor; icon: IconName; ended: boolean }>

const KIND_TITLES = {
  expand: 'Expand',
  baseline: 'Baseline',
  backfill: 'Backfill',
  validation: 'Validation',
  finalize: 'Finalize',
  flag: 'Flag',
  rollback: 'Rollback',
  monitoring: 'Enhanced monitoring',
  rehearsal: 'Rehearsal',
  'column-drop': 'Column drop',
  'archive-removal': 'Removal of the archive',
} as const satisfies Record<OperationKind, string>

/** What an operation is, in words: `Backfill`, `Flag on for 10 %`, `Rollback of the data`. */
export function operationTitle({ kind, parameters }: Pick<Operation, 'kind' | 'parameters'>): string {
  if (kind === 'flag') {
    if (parameters['enabled'] !== true) return 'Flag off'
    if (parameters['ramp'] === true) return 'Ramp of the flag'
    const percentage = Number(parameters['percentage'] ?? 100)
    return percentage >= 100 ? 'Flag on' : `Flag on for ${percentage} %`
  }
  if (kind === 'monitoring') return `Enhanced monitoring ${parameters['enabled'] === false ? 'off' : 'on'}`
  if (kind === 'rollback') return `Rollback of the ${String(parameters['scope'] ?? 'data')}`
  return KIND_TITLES[kind]
}
