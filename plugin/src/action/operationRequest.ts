import {
  BACKFILL_BOUNDS,
  BASELINE_DURATION_BOUNDS,
  OPERATION_ACTIONS,
  type OperationAction,
  type OperationRequest,
  type ValidationLayer,
} from '@sti-rollout/agent/contract'
import { LAYERS } from '../validation/verdicts'

/** The options that a person can set in the confirmation of an operation. */
export interface OperationOptions {
  readonly percentage: number
  /** Follow the steps of the rollout file instead of enabling the flag for `percentage` at once. */
  readonly ramp: boolean
  /** Null lets the agent choose the batch size. */
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
  /** The baseline of a validation; null: the newest usable one. */
  readonly baseline: number | null
  readonly live: boolean
  readonly durationSeconds: number
  readonly release: string
  readonly safetyChecks: boolean
  readonly validateData: boolean
  readonly openPullRequest: boolean
  readonly exportArchive: boolean
  /** The name of the rollout, as the person typed it. */
  readonly typed: string
}

/** The properties of the fields of one kind of operation. */
export interface OperationFieldsProps {
  options: OperationOptions
  onChange: (options: OperationOptions) => void
}

export const DEFAULT_OPERATION_OPTIONS: OperationOptions = {
  percentage: 100,
  ramp: false,
  batchSize: null,
  checkpointInterval: BACKFILL_BOUNDS.checkpointInterval.default,
  workers: BACKFILL_BOUNDS.workers.default,
  agents: BACKFILL_BOUNDS.agents.default,
  niceRatio: BACKFILL_BOUNDS.niceRatio.default,
  rollbackOnError: 'no',
  enableMonitoring: false,
  full: false,
  force: false,
  layers: LAYERS,
  checks: [],
  baseline: null,
  live: false,
  durationSeconds: BASELINE_DURATION_BOUNDS.default,
  release: '',
  safetyChecks: true,
  validateData: true,
  openPullRequest: false,
  exportArchive: false,
  typed: '',
}

/** The request that a confirmation sends, for the preview and to start the operation. */
export function toOperationRequest(
  action: OperationAction,
  environment: string,
  options: OperationOptions,
  reason: string,
): OperationRequest {
  const common = { environment, ...(reason.trim() ? { reason: reason.trim() } : {}) }
  switch (action) {
    case 'backfill':
      return { ...common, kind: 'backfill', parameters: backfillParameters(options) }
    case 'retry-failed-rows':
      return { ...common, kind: 'backfill', parameters: { ...backfillParameters(options), failedRowsOnly: true } }
    case 'validation':
      return { ...common, kind: 'validation', parameters: validationParameters(options) }
    case 'enable':
      return { ...common, kind: 'flag', parameters: enableParameters(options) }
    case 'rollback-data':
      return { ...common, kind: 'rollback', parameters: { scope: 'data', full: options.full, confirm: options.typed } }
    case 'rollback-system':
      return {
        ...common,
        kind: 'rollback',
        parameters: {
          scope: 'system',
          full: false,
          confirm: options.typed,
          ...(options.force ? { force: true } : {}),
        },
      }
    case 'baseline':
      return { ...common, kind: 'baseline', parameters: baselineParameters(options) }
    case 'prepare-column-drop':
      return { ...common, kind: 'column-drop', parameters: columnDropParameters(options) }
    case 'remove-archive':
      return { ...common, kind: 'archive-removal', parameters: archiveRemovalParameters(options) }
    default: {
      // An action without options sends its declared parameters.
      const { kind, parameters } = OPERATION_ACTIONS[action]
      return { ...common, kind, parameters } as OperationRequest
    }
  }
}

const enableParameters = ({ ramp, percentage }: OperationOptions) => ({
  enabled: true,
  percentage: ramp ? 100 : percentage,
  ramp,
  force: false,
})

/** All layers are a full validation; single checks are added to a selection of layers. */
function validationParameters({ layers, checks, baseline }: OperationOptions) {
  const compared = baseline === null ? {} : { baseline }
  if (layers.length === LAYERS.length) return { full: true, ...compared }
  return {
    full: false,
    ...compared,
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
  const always = { generatePullRequest: true, includeRollback: true }
  return { ...always, safetyChecks, validateData, openPullRequest, exportArchive, confirm: typed }
}

function archiveRemovalParameters({ exportArchive, force, typed }: OperationOptions) {
  return { exportArchive, force, confirm: typed }
}

function baselineParameters({ live, durationSeconds, release }: OperationOptions) {
  return { live, durationSeconds, ...(release.trim() ? { release: release.trim() } : {}) }
}
