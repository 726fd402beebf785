import type { IconName } from '@grafana/data'
import type { Action } from '@sti-rollout/agent/contract'

/** The confirmation of an action that starts an operation with a preview. */
export interface OperationText {
  /** Without “in <environment>”, which the dialog adds. */
  readonly title: (rollout: string) => string
  /** The effect of the operation, in one or two sentences. */
  readonly description: string
  readonly reason: 'optional' | 'required'
  /** The person has to type the name of the rollout. */
  readonly typedName: boolean
}

export interface ActionDisplay {
  /** The text of the button, here and in the confirmation: a verb. */
  readonly label: string
  readonly icon: IconName
  /** It removes or reverts something. */
  readonly destructive: boolean
  /** Null for an action that does not start an operation with a preview. */
  readonly operation: OperationText | null
}

/** Every action of the contract; a new one does not compile without its text. */
export const ACTIONS = {
  expand: {
    label: 'Expand',
    icon: 'plus-circle',
    destructive: false,
    operation: {
      title: (rollout) => `Expand ${rollout}`,
      description: 'Adds the discriminator column and the dual-write trigger.',
      reason: 'optional',
      typedName: false,
    },
  },
  backfill: {
    label: 'Backfill',
    icon: 'play',
    destructive: false,
    operation: {
      title: (rollout) => `Backfill ${rollout}`,
      description: 'Writes the type to every row that does not have it yet, in batches. You can pause it at any time.',
      reason: 'optional',
      typedName: false,
    },
  },
  validation: {
    label: 'Validate',
    icon: 'check-circle',
    destructive: false,
    operation: {
      title: (rollout) => `Validate ${rollout}`,
      description:
        'Runs the checks of the selected layers and changes nothing. The full integrity layer reads the whole table in short snapshots.',
      reason: 'optional',
      typedName: false,
    },
  },
  finalize: {
    label: 'Finalize',
    icon: 'lock',
    destructive: false,
    operation: {
      title: (rollout) => `Finalize ${rollout}`,
      description:
        'Analyzes the table, builds the index, and adds the constraint, so that the table is ready for the flag.',
      reason: 'optional',
      typedName: false,
    },
  },
  enable: {
    label: 'Enable flag',
    icon: 'toggle-on',
    destructive: false,
    operation: {
      title: (rollout) => `Enable the flag of ${rollout}`,
      description: 'The application starts to read by type.',
      reason: 'optional',
      typedName: false,
    },
  },
  disable: {
    label: 'Disable flag',
    icon: 'toggle-off',
    destructive: false,
    operation: {
      title: (rollout) => `Disable the flag of ${rollout}`,
      description: 'The application returns to the legacy columns.',
      reason: 'optional',
      typedName: false,
    },
  },
  'rollback-flag': {
    label: 'Roll back flag',
    icon: 'history',
    destructive: true,
    operation: {
      title: (rollout) => `Roll back the flag of ${rollout}`,
      description:
        'Turns the flag off immediately, even if the database is unavailable or another operation is running. The data is kept.',
      reason: 'optional',
      typedName: false,
    },
  },
  'rollback-data': {
    label: 'Roll back data',
    icon: 'trash-alt',
    destructive: true,
    operation: {
      title: (rollout) => `Roll back the data of ${rollout}`,
      description:
        'Removes the discriminator from the table. Data that the legacy columns cannot express is archived first.',
      reason: 'required',
      typedName: true,
    },
  },
  'rollback-system': {
    label: 'Roll back system',
    icon: 'trash-alt',
    destructive: true,
    operation: {
      title: (rollout) => `Roll back the system changes of ${rollout}`,
      description:
        'Undoes every change made for this rollout, newest first, and checks each one against the catalog. If the column still exists, its data is rolled back first.',
      reason: 'required',
      typedName: true,
    },
  },
  rehearse: {
    label: 'Run rehearsal',
    icon: 'play',
    destructive: false,
    operation: {
      title: (rollout) => `Rehearse the rollbacks of ${rollout}`,
      description:
        'Copies a sample of the rows and runs expand, backfill, data rollback, and system rollback on the copy. The table itself is only read.',
      reason: 'optional',
      typedName: false,
    },
  },
  baseline: {
    label: 'Take baseline',
    icon: 'record-audio',
    destructive: false,
    operation: {
      title: (rollout) => `Take a baseline of ${rollout}`,
      description:
        'Measures every signal and every query, so that later measurements can be compared with them. Writes nothing to the table.',
      reason: 'optional',
      typedName: false,
    },
  },
  monitoring: {
    label: 'Turn on monitoring',
    icon: 'eye',
    destructive: false,
    operation: {
      title: (rollout) => `Turn on enhanced monitoring of ${rollout}`,
      description:
        'Reads the signals more often and turns on the PostgreSQL settings that per-statement times need. Every change is recorded.',
      reason: 'optional',
      typedName: false,
    },
  },
  'rollback-monitoring': {
    label: 'Roll back monitoring',
    icon: 'history',
    destructive: true,
    operation: {
      title: (rollout) => `Roll back enhanced monitoring of ${rollout}`,
      description:
        'Restores every setting to its previous value. Settings that others changed since then are kept and listed.',
      reason: 'optional',
      typedName: false,
    },
  },
  'prepare-column-drop': {
    label: 'Prepare column drop',
    icon: 'file-alt',
    destructive: false,
    operation: {
      title: (rollout) => `Prepare the column drop of ${rollout}`,
      description:
        'Runs every safety check, archives the legacy columns, and writes a migration, its undo, and a pull request. It drops nothing.',
      reason: 'optional',
      typedName: true,
    },
  },
  'remove-archive': {
    label: 'Remove archive',
    icon: 'trash-alt',
    destructive: true,
    operation: {
      title: (rollout) => `Remove the archive of ${rollout}`,
      description:
        'Permanently removes the archive of the legacy columns and its triggers. After the column drop, this also removes the data that an undo would restore.',
      reason: 'required',
      typedName: true,
    },
  },
  ramp: { label: 'Ramp flag', icon: 'toggle-on', destructive: false, operation: null },
  pause: { label: 'Pause', icon: 'pause', destructive: false, operation: null },
  resume: { label: 'Resume', icon: 'play', destructive: false, operation: null },
  tune: { label: 'Tune', icon: 'sliders-v-alt', destructive: false, operation: null },
  cancel: { label: 'Cancel operation', icon: 'times', destructive: true, operation: null },
  'retry-failed-rows': { label: 'Retry all', icon: 'repeat', destructive: false, operation: null },
  'accept-failed-rows': { label: 'Accept selected', icon: 'check', destructive: false, operation: null },
  'accept-client': { label: 'Accept as removed', icon: 'check', destructive: false, operation: null },
  'import-baseline': { label: 'Import baseline', icon: 'upload', destructive: false, operation: null },
  promote: { label: 'Submit report', icon: 'upload', destructive: false, operation: null },
  attest: { label: 'Sign off', icon: 'check', destructive: false, operation: null },
  'automatic-rollback': { label: 'Pause automatic rollback', icon: 'pause', destructive: false, operation: null },
  acknowledge: { label: 'Acknowledge', icon: 'check', destructive: false, operation: null },
  drill: { label: 'Start drill', icon: 'bell', destructive: false, operation: null },
  adopt: { label: 'Adopt state', icon: 'import', destructive: false, operation: null },
} as const satisfies Record<Action, ActionDisplay>

/** The actions that start an operation with a preview. */
export type OperationAction = {
  [Name in Action]: (typeof ACTIONS)[Name]['operation'] extends OperationText ? Name : never
}[Action]

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
