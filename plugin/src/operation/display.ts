import type { Operation, OperationKind, OperationState } from '@sti-rollout/agent/contract'
import { formatPercent } from '@sti-rollout/agent/format'
import type { BadgeColor, IconName } from '@grafana/ui'

/** Color and icon of each state of an operation, and if the operation has ended. */
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
  'archive-removal': 'Archive removal',
} as const satisfies Record<OperationKind, string>

/** The title of an operation: `Backfill`, `Flag on for 10%`, `Data rollback`. */
export function operationTitle({ kind, parameters }: Pick<Operation, 'kind' | 'parameters'>): string {
  if (kind === 'flag') {
    if (parameters['enabled'] !== true) return 'Flag off'
    if (parameters['ramp'] === true) return 'Flag ramp'
    const percentage = Number(parameters['percentage'] ?? 100)
    return percentage >= 100 ? 'Flag on' : `Flag on for ${formatPercent(percentage / 100)}`
  }
  if (kind === 'monitoring') return `Enhanced monitoring ${parameters['enabled'] === false ? 'off' : 'on'}`
  if (kind === 'rollback') return `${capitalize(String(parameters['scope'] ?? 'data'))} rollback`
  return KIND_TITLES[kind]
}

const capitalize = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
