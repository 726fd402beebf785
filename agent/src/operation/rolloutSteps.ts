import {
  isAcceptedCheck,
  OPERATION_ACTIONS,
  StepName,
  type Action,
  type AllowedAction,
  type NextStep,
  type Operation,
  type OperationAction,
  type OperationKind,
  type RolloutStep,
} from '../contract/index.ts'
import { formatDuration, formatPercent, formatQuantity } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { verificationGaps } from '../kind/verification.ts'
import { isCovered, isReadyToDrop } from './rolloutStage.ts'

export interface StepInput {
  readonly facts: RolloutFacts
  /** Before rights are checked. */
  readonly actions: readonly AllowedAction[]
  /** The latest operations, newest first. */
  readonly operations: readonly Operation[]
  /** Milliseconds since 1970. */
  readonly now: number
}

type StepFact = Pick<RolloutStep, 'fact' | 'at'>

interface StepDefinition {
  readonly kind: OperationKind | null
  readonly action: OperationAction | null
  isDone(facts: RolloutFacts, now: number): boolean
  /** It is in progress without an open operation. */
  isCurrent?(facts: RolloutFacts): boolean
  fact(facts: RolloutFacts, isDone: boolean, now: number): StepFact
  /** What to do next, if that is not what the action does. */
  sentence?(facts: RolloutFacts, now: number): string
  /** What has to be done first although the agent allows the action, and the action that does it. */
  obstacle?(facts: RolloutFacts): { readonly reason: string; readonly unblock: Action } | null
}

const isUsable = ({ baseline }: RolloutFacts): boolean => baseline !== null && baseline.unusable.length === 0
const isOnForAll = ({ flag, openOperations }: RolloutFacts): boolean =>
  flag.enabled && flag.percentage >= 100 && !openOperations.some(({ kind }) => kind === 'flag')
const onSeconds = ({ flag }: RolloutFacts, now: number): number =>
  flag.changedAt === null ? 0 : Math.max(0, (now - Date.parse(flag.changedAt)) / 1000)
const fact = (text: string, at: string | null = null): StepFact => ({ fact: text, at })

/** The checks of the layers that the file requires: the flag does not depend on any other. */
function describeRequiredChecks({ layers, checks }: NonNullable<RolloutFacts['validation']>): string {
  const requiredLayers = new Set(layers.filter(({ required }) => required).map(({ layer }) => layer))
  const required = checks.filter(({ layer }) => requiredLayers.has(layer))
  const accepted = required.filter(isAcceptedCheck).length
  const passed = required.length - accepted
  return accepted === 0
    ? `all ${passed} required checks passed`
    : `${passed} required checks passed, ${accepted} accepted`
}

/** What each step consists of; a step of the contract that is missing here does not compile. */
const STEPS: Readonly<Record<StepName, StepDefinition>> = {
  baseline: {
    kind: 'baseline',
    action: 'baseline',
    isDone: isUsable,
    fact({ baseline }, isDone) {
      if (baseline === null) return fact('not taken')
      if (!isDone) return fact('not usable')
      const seconds = (Date.parse(baseline.endedAt) - Date.parse(baseline.startedAt)) / 1000
      return fact(formatDuration(Math.round(seconds)), baseline.endedAt)
    },
  },
  expand: {
    kind: 'expand',
    action: 'expand',
    isDone: ({ expanded }) => expanded,
    fact: ({ expanded, triggerFault, columnAddedAt }, isDone) =>
      isDone
        ? fact(expanded ? 'dual write is on' : 'trigger removed')
        : fact(triggerFault !== null && columnAddedAt !== null ? 'trigger fault' : 'column and trigger'),
  },
  backfill: {
    kind: 'backfill',
    action: 'backfill',
    isDone: isCovered,
    fact({ lastSucceededBackfill, failedRows }, isDone) {
      if (!isDone) return fact('existing rows')
      const rows = lastSucceededBackfill?.progress?.totalRows
      if (failedRows > 0) return fact(formatQuantity(failedRows, 'failed row'))
      return fact(rows === undefined ? 'complete' : formatQuantity(rows, 'row'), lastSucceededBackfill?.endedAt ?? null)
    },
  },
  validate: {
    kind: 'validation',
    action: 'validation',
    isDone: (facts) => verificationGaps(facts).length === 0,
    fact({ validation }, isDone) {
      if (validation === null) return fact('not run')
      if (isDone) {
        return fact(describeRequiredChecks(validation), validation.endedAt)
      }
      return validation.verdict === 'pass'
        ? fact('out of date', validation.endedAt)
        : fact(validation.verdict, validation.endedAt)
    },
    sentence: (facts) =>
      facts.validation === null ? OPERATION_ACTIONS.validation.description : verificationGaps(facts).join(' '),
    obstacle: ({ rollout, baseline }) =>
      rollout.file.validation.requires.includes('performance') && (baseline === null || baseline.unusable.length > 0)
        ? {
            reason: `The layer performance is required, and it has no baseline to compare with${baseline?.unusable[0] === undefined ? '' : ` (${baseline.unusable[0]})`}. Take one first: about 1 min live, or from the history in Prometheus.`,
            unblock: 'baseline',
          }
        : null,
  },
  finalize: {
    kind: 'finalize',
    action: 'finalize',
    isDone: ({ expanded, finalizeMissing }) => expanded && finalizeMissing.length === 0,
    fact: (_, isDone) => fact(isDone ? 'index and constraint' : 'not done'),
  },
  flag: {
    kind: 'flag',
    action: 'enable',
    isDone: isOnForAll,
    isCurrent: ({ flag }) => flag.enabled,
    fact({ flag, lastFlagRollback, succeededOperations }) {
      if (flag.enabled)
        return fact(flag.percentage >= 100 ? 'on' : `on for ${formatPercent(flag.percentage / 100)}`, flag.changedAt)
      const lastChange = succeededOperations.findLast(({ kind }) => kind === 'flag')
      const wasRolledBack = lastFlagRollback !== null && lastFlagRollback.id > (lastChange?.id ?? 0)
      return wasRolledBack ? fact('rolled back', lastFlagRollback.endedAt) : fact('off')
    },
    sentence: ({ flag }) =>
      flag.enabled
        ? `The flag is on for ${formatPercent(flag.percentage / 100)}. Watch the vital signs, then raise it.`
        : OPERATION_ACTIONS.enable.description,
    obstacle({ failedRows, promotion }) {
      if (failedRows > 0)
        return {
          reason: `${formatQuantity(failedRows, 'failed row')}: fix and retry them, or let an admin accept them by key.`,
          unblock: 'retry-failed-rows',
        }
      const reason = promotion?.reasons[0]
      return reason === undefined ? null : { reason, unblock: 'promote' }
    },
  },
  soak: {
    kind: null,
    action: null,
    isDone: (facts, now) => isOnForAll(facts) && onSeconds(facts, now) >= facts.rollout.file.soak,
    isCurrent: isOnForAll,
    fact(facts, isDone, now) {
      const { soak } = facts.rollout.file
      if (!isOnForAll(facts)) return fact(`${formatDuration(soak)} at 100%`)
      return fact(
        isDone
          ? formatDuration(soak)
          : `${formatDuration(Math.floor(onSeconds(facts, now)))} of ${formatDuration(soak)}`,
      )
    },
    sentence(facts, now) {
      const { soak } = facts.rollout.file
      if (!isOnForAll(facts))
        return `The flag stays at 100% for ${formatDuration(soak)} before the columns can be dropped.`
      const left = Math.max(0, Math.ceil(soak - onSeconds(facts, now)))
      return `The flag is on for all requests. Watch the vital signs; the column drop can be prepared in ${formatDuration(left)}.`
    },
  },
  'column-drop': {
    kind: 'column-drop',
    action: 'prepare-column-drop',
    isDone: () => false,
    fact: (facts) =>
      fact(
        isReadyToDrop(facts) ? 'ready to merge' : 'pull request',
        isReadyToDrop(facts) ? (facts.columnDrop?.at ?? null) : null,
      ),
    sentence: (facts) =>
      isReadyToDrop(facts)
        ? 'The column drop is prepared, and every safety check passed. Merge the pull request, and run its migration with your migration tool.'
        : OPERATION_ACTIONS['prepare-column-drop'].description,
  },
}

/** The steps of a rollout and what to do next; null: nothing is left to do. */
export function describeSteps(input: StepInput): { readonly steps: RolloutStep[]; readonly next: NextStep | null } {
  const { facts, now } = input
  const isDropped =
    facts.droppedColumns.length > 0 && facts.droppedColumns.length === facts.rollout.legacyColumns.length
  // The drop ends every step but the baseline, which may have been left out.
  const isDone = (step: StepName): boolean => (isDropped && step !== 'baseline') || STEPS[step].isDone(facts, now)
  const open = (step: StepName): Operation | undefined =>
    facts.openOperations.find(({ kind }) => kind === STEPS[step].kind)
  const isCurrent = (step: StepName): boolean => open(step) !== undefined || STEPS[step].isCurrent?.(facts) === true
  // A baseline is optional: once the table is expanded, it is the next step only if something else requires it.
  const isSkipped = (step: StepName): boolean =>
    step === 'baseline' && (isDropped || facts.expanded || facts.columnAddedAt !== null)
  const todo = StepName.options.filter((step) => !isDone(step) && !isSkipped(step))
  const nextName = todo.find((step) => open(step) === undefined) ?? null
  const next = nextName === null ? null : describeNext(nextName, input)

  const steps = StepName.options.map((step): RolloutStep => {
    const done = isDone(step)
    const state = done
      ? 'done'
      : isCurrent(step)
        ? 'current'
        : step === nextName && todo[0] === step
          ? nextState(step)
          : 'later'
    return { step, state, ...describeFact(step, done, state) }
  })
  return { steps, next }

  function nextState(step: StepName): RolloutStep['state'] {
    if (lastAttemptFailed(step)) return 'failed'
    return next !== null && next.blockedBy.length > 0 ? 'blocked' : 'next'
  }

  function lastAttemptFailed(step: StepName): boolean {
    if (step === 'flag') return STEPS.flag.fact(facts, false, now).fact === 'rolled back'
    if (step === 'validate' && facts.validation !== null && ['fail', 'error'].includes(facts.validation.verdict))
      return true
    const { kind } = STEPS[step]
    return input.operations.find((operation) => operation.kind === kind)?.state === 'failed'
  }

  function describeFact(step: StepName, done: boolean, state: RolloutStep['state']): StepFact {
    const operation = open(step)
    if (!done && operation?.progress != null && step !== 'flag') {
      const percent = formatPercent(operation.progress.ratio)
      return fact(operation.state === 'running' ? percent : `${operation.state} at ${percent}`)
    }
    if (isDropped) return step === 'column-drop' ? fact('dropped') : STEPS[step].fact(facts, done, now)
    if (state === 'failed' && step !== 'flag' && step !== 'validate') return fact('failed', lastEndedAt(step))
    return STEPS[step].fact(facts, done, now)
  }

  function lastEndedAt(step: StepName): string | null {
    return input.operations.find(({ kind }) => kind === STEPS[step].kind)?.endedAt ?? null
  }
}

function describeNext(step: StepName, { facts, actions, now }: StepInput): NextStep {
  const { action, sentence, obstacle: findObstacle } = STEPS[step]
  const obstacle = findObstacle?.(facts) ?? null
  const refusals = actions.find((candidate) => candidate.action === action)?.reasons ?? []
  // Merging the prepared pull request is done elsewhere.
  const startable = step === 'column-drop' && isReadyToDrop(facts) ? null : action
  return {
    step,
    action: startable,
    sentence: sentence?.(facts, now) ?? (action === null ? '' : OPERATION_ACTIONS[action].description),
    blockedBy:
      startable === null
        ? []
        : [...(obstacle === null || refusals.includes(obstacle.reason) ? [] : [obstacle.reason]), ...refusals],
    unblock: obstacle?.unblock ?? null,
  }
}
