import type { OperationState } from '@sti-rollout/agent/contract'
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
