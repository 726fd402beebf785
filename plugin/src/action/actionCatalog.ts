import type { IconName } from '@grafana/data'
import { type Action, OPERATION_ACTIONS, type OperationAction, type OtherAction } from '@sti-rollout/agent/contract'

export interface ActionText {
  /** The text of the button, here and in the confirmation: a verb. */
  readonly label: string
  readonly icon: IconName
  /** It removes or reverts something. */
  readonly destructive: boolean
}

/** The actions that do not start an operation; the contract has the texts of those that do. */
const OTHER_ACTIONS = {
  pause: { label: 'Pause operation', icon: 'pause', destructive: false },
  resume: { label: 'Resume operation', icon: 'play', destructive: false },
  tune: { label: 'Tune', icon: 'sliders-v-alt', destructive: false },
  cancel: { label: 'Cancel operation', icon: 'times', destructive: true },
  'accept-failed-rows': { label: 'Accept selected rows', icon: 'check', destructive: false },
  'accept-client': { label: 'Accept as removed', icon: 'check', destructive: false },
  'accept-check': { label: 'Accept', icon: 'check', destructive: false },
  'import-baseline': { label: 'Import baseline', icon: 'upload', destructive: false },
  promote: { label: 'Submit report', icon: 'upload', destructive: false },
  attest: { label: 'Sign off', icon: 'check', destructive: false },
  'automatic-rollback': { label: 'Pause automatic rollback', icon: 'pause', destructive: false },
  acknowledge: { label: 'Acknowledge', icon: 'check', destructive: false },
  drill: { label: 'Start drill', icon: 'bell', destructive: false },
  adopt: { label: 'Adopt state', icon: 'import', destructive: false },
} as const satisfies Record<OtherAction, ActionText>

/** Label, color, and icon of every action of the contract; a new action does not compile without them. */
export const ACTIONS: Readonly<Record<Action, ActionText>> = { ...OTHER_ACTIONS, ...OPERATION_ACTIONS }

/** The actions that take a rollout forward, in its order; the page of a rollout shows the next one as its button. */
export const FORWARD_ACTIONS = [
  'baseline',
  'expand',
  'backfill',
  'retry-failed-rows',
  'validation',
  'finalize',
  'enable',
  'monitoring',
  'rehearse',
  'prepare-column-drop',
] as const satisfies readonly OperationAction[]

/** The actions behind “More” in the header of a rollout; the rollback of the flag has its own button. */
export const DANGEROUS_ACTIONS = [
  'disable',
  'rollback-data',
  'rollback-system',
  'rollback-monitoring',
] as const satisfies readonly OperationAction[]
