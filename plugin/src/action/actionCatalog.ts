import type { Action, ValidationLayer, OperationRequest } from '@sti-rollout/agent/contract'
import type { IconName } from '@grafana/data'

/** How an action that starts an operation looks, and what its confirmation asks for. */
export interface ActionDisplay {
  /** On the button. */
  readonly label: string
  /** The title of its confirmation, before “in <environment>”. */
  readonly title: (rollout: string) => string
  /** What is about to happen, in one sentence. */
  readonly says: string
  readonly icon: IconName
  /** Takes something away, or back. */
  readonly destructive: boolean
  readonly reason: 'optional' | 'required'
  /** The rollout's name has to be typed. */
  readonly typed: boolean
}

/** The actions that start an operation with a preview, in the order a rollout takes them; the ways back come last. */
export const OPERATION_ACTIONS = {
  expand: {
    label: 'Expand',
    title: (rollout) => `Expand ${rollout}`,
    says: 'Adds the discriminator column and the dual-write trigger.',
    icon: 'plus-circle',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  backfill: {
    label: 'Backfill',
    title: (rollout) => `Backfill ${rollout}`,
    says: 'Writes the type of every row that does not have it yet, in batches that can be paused.',
    icon: 'play',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  validation: {
    label: 'Validate',
    title: (rollout) => `Validate ${rollout}`,
    says: 'Runs the checks of the layers chosen. Changes nothing; a whole integrity layer reads the table in short snapshots.',
    icon: 'check-circle',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  finalize: {
    label: 'Finalize',
    title: (rollout) => `Finalize ${rollout}`,
    says: 'Takes statistics, builds the index and adds the constraint, so that the flag meets a ready table.',
    icon: 'lock',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  enable: {
    label: 'Enable flag',
    title: (rollout) => `Enable the flag of ${rollout}`,
    says: 'The application starts to read by type.',
    icon: 'toggle-on',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  disable: {
    label: 'Disable flag',
    title: (rollout) => `Disable the flag of ${rollout}`,
    says: 'The application goes back to the legacy columns.',
    icon: 'toggle-off',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  'rollback-flag': {
    label: 'Roll back flag',
    title: (rollout) => `Roll back the flag of ${rollout}`,
    says: 'The flag goes off at once, from memory, whatever else happens. The data stays.',
    icon: 'history',
    destructive: true,
    reason: 'optional',
    typed: false,
  },
  'rollback-data': {
    label: 'Roll back data',
    title: (rollout) => `Roll back the data of ${rollout}`,
    says: 'Takes the discriminator out of the table again. What legacy columns cannot express is archived first.',
    icon: 'trash-alt',
    destructive: true,
    reason: 'required',
    typed: true,
  },
  'rollback-system': {
    label: 'Roll back system',
    title: (rollout) => `Roll back the system changes of ${rollout}`,
    says: 'Takes back every change that was made for this rollout, the last first, each checked against the catalog. While the column stands it begins with the data.',
    icon: 'trash-alt',
    destructive: true,
    reason: 'required',
    typed: true,
  },
  rehearse: {
    label: 'Rehearse',
    title: (rollout) => `Rehearse the rollbacks of ${rollout}`,
    says: 'Copies a sample of the rows aside and does all of it there: expand, backfill, data and system rollback. The table itself is only read.',
    icon: 'play',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  baseline: {
    label: 'Take',
    title: (rollout) => `Take a baseline of ${rollout}`,
    says: 'Measures every signal and every query as they are, so that later ones can be compared. Writes nothing to the table.',
    icon: 'record-audio',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  monitoring: {
    label: 'Switch on',
    title: (rollout) => `Switch on enhanced monitoring of ${rollout}`,
    says: 'Reads more often, and switches on in PostgreSQL what per-statement times need. Each change is journaled.',
    icon: 'eye',
    destructive: false,
    reason: 'optional',
    typed: false,
  },
  'rollback-monitoring': {
    label: 'Take back',
    title: (rollout) => `Take back enhanced monitoring of ${rollout}`,
    says: 'Every setting goes back to what was there before. What somebody else has changed since stays, and is named.',
    icon: 'history',
    destructive: true,
    reason: 'optional',
    typed: false,
  },
  'prepare-column-drop': {
    label: 'Prepare',
    title: (rollout) => `Prepare the column drop of ${rollout}`,
    says: 'Asks every safety check, keeps the legacy columns in an archive, and writes a migration, its undo and a pull request. It drops nothing.',
    icon: 'file-alt',
    destructive: false,
    reason: 'optional',
    typed: true,
  },
  'remove-archive': {
    label: 'Remove',
    title: (rollout) => `Remove the archive of ${rollout}`,
    says: 'Takes the archive of the legacy columns and its triggers away, for good. After the drop the data of the way back goes with it.',
    icon: 'trash-alt',
    destructive: true,
    reason: 'required',
    typed: true,
  },
} as const satisfies Partial<Record<Action, ActionDisplay>>

export type OperationAction = keyof typeof OPERATION_ACTIONS

/** Those of the action bar; the others stand where they belong. */
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

export const LAYERS = ['integrity', 'performance', 'system', 'business'] as const satisfies readonly ValidationLayer[]

/** What a person may set in the confirmation. */
export interface OperationOptions {
  readonly percentage: number
  /** In the steps of the rollout file, instead of at once for the percentage. */
  readonly ramp: boolean
  readonly batchSize: number | null
  readonly checkpointInterval: number
  readonly workers: number
  readonly agents: number
  readonly niceRatio: number
  readonly rollbackOnError: 'no' | 'flag' | 'data'
  readonly enableMonitoring: boolean
  readonly full: boolean
  readonly force: boolean
  readonly layers: readonly ValidationLayer[]
  readonly checks: readonly string[]
  readonly live: boolean
  readonly durationSeconds: number
  readonly release: string
  readonly safetyChecks: boolean
  readonly validateData: boolean
  readonly openPullRequest: boolean
  readonly exportArchive: boolean
  readonly typed: string
}

export const DEFAULT_OPERATION_OPTIONS: OperationOptions = {
  percentage: 100,
  ramp: false,
  batchSize: null,
  checkpointInterval: 100,
  workers: 1,
  agents: 1,
  niceRatio: 0,
  rollbackOnError: 'no',
  enableMonitoring: false,
  full: false,
  force: false,
  layers: LAYERS,
  checks: [],
  live: false,
  durationSeconds: 86_400,
  release: '',
  safetyChecks: true,
  validateData: true,
  openPullRequest: false,
  exportArchive: false,
  typed: '',
}

/** The request that a confirmation sends, as preview and for real. */
export function toOperationRequest(
  start: OperationAction,
  environment: string,
  choices: OperationOptions,
  reason: string,
): OperationRequest {
  const common = { environment, ...(reason.trim() ? { reason: reason.trim() } : {}) }
  switch (start) {
    case 'expand':
    case 'finalize':
      return { ...common, kind: start, parameters: {} }
    case 'backfill':
      return { ...common, kind: 'backfill', parameters: backfillParameters(choices) }
    case 'validation':
      return { ...common, kind: 'validation', parameters: validationParameters(choices) }
    case 'enable':
      return {
        ...common,
        kind: 'flag',
        parameters: flagParameters(true, choices.ramp ? 100 : choices.percentage, choices.ramp),
      }
    case 'disable':
      return { ...common, kind: 'flag', parameters: flagParameters(false, 0, false) }
    case 'rollback-flag':
      return { ...common, kind: 'rollback', parameters: { scope: 'flag', full: false } }
    case 'rollback-data':
      return { ...common, kind: 'rollback', parameters: { scope: 'data', full: choices.full, confirm: choices.typed } }
    case 'rollback-system':
      return {
        ...common,
        kind: 'rollback',
        parameters: {
          scope: 'system',
          full: false,
          confirm: choices.typed,
          ...(choices.force ? { force: true } : {}),
        },
      }
    case 'rehearse':
      return { ...common, kind: 'rehearsal', parameters: {} }
    case 'baseline':
      return { ...common, kind: 'baseline', parameters: baselineParameters(choices) }
    case 'monitoring':
      return { ...common, kind: 'monitoring', parameters: { enabled: true } }
    case 'rollback-monitoring':
      return { ...common, kind: 'rollback', parameters: { scope: 'monitoring', full: false } }
    case 'prepare-column-drop':
      return { ...common, kind: 'column-drop', parameters: columnDropParameters(choices) }
    case 'remove-archive':
      return { ...common, kind: 'archive-removal', parameters: archiveRemovalParameters(choices) }
  }
}

const flagParameters = (enabled: boolean, percentage: number, ramp: boolean) => ({
  enabled,
  percentage,
  ramp,
  force: false,
})

/** Every layer is the whole validation; named checks come on top of the layers. */
function validationParameters({ layers, checks }: OperationOptions) {
  if (layers.length === LAYERS.length) return { full: true }
  return {
    full: false,
    ...(layers.length > 0 ? { layers: [...layers] } : {}),
    ...(checks.length > 0 ? { checks: [...checks] } : {}),
  }
}

function backfillParameters({
  batchSize,
  checkpointInterval,
  workers,
  agents,
  niceRatio,
  rollbackOnError,
  enableMonitoring,
}: OperationOptions) {
  return {
    ...(batchSize === null ? {} : { batchSize }),
    checkpointInterval,
    rollbackOnError: rollbackOnError === 'data' ? ('data' as const) : rollbackOnError === 'flag',
    enableMonitoring,
    workers,
    agents,
    niceRatio,
  }
}

function columnDropParameters({ safetyChecks, validateData, openPullRequest, exportArchive, typed }: OperationOptions) {
  const all = { generatePullRequest: true, includeRollback: true }
  return { ...all, safetyChecks, validateData, openPullRequest, exportArchive, confirm: typed }
}

function archiveRemovalParameters({ exportArchive, force, typed }: OperationOptions) {
  return { exportArchive, force, confirm: typed }
}

function baselineParameters({ live, durationSeconds, release }: OperationOptions) {
  return { live, durationSeconds, ...(release.trim() ? { release: release.trim() } : {}) }
}
