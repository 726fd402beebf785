import type { IconName } from '@grafana/data'
import { type Action, OPERATION_ACTIONS, type OperationAction, type OtherAction } from '@sti-rollout/agent/contract'

export interface ActionText {
  /** The text of the button, here and in the confirmation: a verb. */
  readonly label: string
  /** It removes or reverts something. */
  readonly destructive: boolean
}

const ICONS = {
  expand: 'plus-circle',
  backfill: 'play',
  validation: 'check-circle',
  finalize: 'lock',
  enable: 'toggle-on',
  ramp: 'toggle-on',
  disable: 'toggle-off',
  'rollback-flag': 'history',
  'rollback-data': 'trash-alt',
  'rollback-system': 'trash-alt',
  'rollback-monitoring': 'history',
  rehearse: 'play',
  baseline: 'record-audio',
  monitoring: 'eye',
  'prepare-column-drop': 'file-alt',
  'remove-archive': 'trash-alt',
  'retry-failed-rows': 'repeat',
  'accept-failed-rows': 'check',
  'accept-client': 'check',
  'accept-check': 'check',
  'import-baseline': 'upload',
  promote: 'upload',
  attest: 'check',
  'automatic-rollback': 'pause',
  acknowledge: 'check',
  drill: 'bell',
  adopt: 'import',
  pause: 'pause',
  resume: 'play',
  tune: 'sliders-v-alt',
  cancel: 'times',
} as const satisfies Record<Action, IconName>

/** The actions that do not start an operation; the contract has the texts of those that do. */
const OTHER_ACTIONS = {
  pause: { label: 'Pause', destructive: false },
  resume: { label: 'Resume', destructive: false },
  tune: { label: 'Tune', destructive: false },
  cancel: { label: 'Cancel operation', destructive: true },
  'accept-failed-rows': { label: 'Accept selected rows', destructive: false },
  'accept-client': { label: 'Accept as removed', destructive: false },
  'accept-check': { label: 'Accept', destructive: false },
  'import-baseline': { label: 'Import baseline', destructive: false },
  promote: { label: 'Submit report', destructive: false },
  attest: { label: 'Sign off', destructive: false },
  'automatic-rollback': { label: 'Pause automatic rollback', destructive: false },
  acknowledge: { label: 'Acknowledge', destructive: false },
  drill: { label: 'Start drill', destructive: false },
  adopt: { label: 'Adopt state', destructive: false },
} as const satisfies Record<OtherAction, ActionText>

/** Label, color, and icon of every action of the contract; a new action does not compile without them. */
export const ACTIONS = Object.fromEntries(
  Object.entries({ ...OTHER_ACTIONS, ...OPERATION_ACTIONS } satisfies Record<Action, ActionText>).map(
    ([action, { label, destructive }]) => [action, { label, destructive, icon: ICONS[action as Action] }],
  ),
) as Record<Action, ActionText & { readonly icon: IconName }>

/** The buttons of the action bar, in the order of a rollout, rollbacks last; the pages show the other actions. */
export const ACTION_BAR_ACTIONS = [
  'expand',
  'backfill',
  'validation',
  'finalize',
  'enable',
  'disable',
  'rollback-flag',
  'rollback-data',
  'rollback-system',
] as const satisfies readonly OperationAction[]
