import { setTimeout as delay } from 'node:timers/promises'
import { readRollbackPause } from '../alert/rollbackPauseStore.ts'
import type { RampProgress, VariantComparison } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import { OperationFailedError, OperationPausedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import type { Flags } from '../flag/flags.ts'
import { FlagRefusal } from '../flag/errors.ts'
import type { ValidationDependencies } from '../validation/check.ts'
import { isUndecided, judgeStep, type StepJudgment } from './judgeStep.ts'
import { parseRampParameters, remainingSteps, type RampParameters } from './rampParameters.ts'
import { requireRampPosition, stepIdempotencyKey, type RampPosition } from './rampPosition.ts'
import { flagRefusals } from './flagRefusals.ts'
import { estimateStep } from './stepEstimate.ts'
import { VARIANT_CHECKS } from './variantChecks.ts'

export interface RampDependencies extends ValidationDependencies {
  readonly flags: Flags
  /** Requests by type against requests by legacy columns; null: there is no control group now. */
  readonly comparison: (rollout: string) => VariantComparison | null
}

const POLL_INTERVAL_MS = 250
const RETRY_INTERVAL_MS = 1_000
/** How long a step waits for clients to receive it; by then, clients without a request are silent or expired. */
const PROPAGATION_TIMEOUT_MS = 60_000
/** Inconclusive judgments of one step before the ramp pauses. */
const MAX_INCONCLUSIVE_JUDGMENTS = 3

/** Raises the flag step by step. A change in one step is not queued (http/acceptOperation.ts). */
export function createRampKind(deps: RampDependencies): OperationDefinition<'flag'> {
  return {
    kind: 'flag',
    refusals: flagRefusals,
    preview({ rollout, facts }) {
      const steps = remainingSteps(rollout, facts.flag, Date.now())
      const { hold } = rollout.file.flag
      const estimates = steps.map((step) => estimateStep(facts, deps.signals.api(rollout.name), step))
      return Promise.resolve({
        rows: 0,
        estimatedWalBytes: 0,
        estimatedSeconds: estimates.reduce((sum, { seconds }) => sum + seconds, 0),
        estimateBasis: estimates.every(({ note }) => note === null) ? 'flag.hold' : 'flag.hold and the current traffic',
        notes: [
          `Raises the flag to ${steps.map((step) => `${step}%`).join(', ')}. Each step is held for at least ${formatDuration(hold)} and judged: pass continues, inconclusive holds the step, fail turns the flag off.`,
          ...estimates.flatMap(({ note }) => (note === null ? [] : [note])),
          'Pausing or cancelling the ramp keeps the current percentage. Any other change of the flag ends the ramp.',
        ],
      })
    },
    run: (run) => runRamp(run, deps),
  }
}

interface RampRun {
  readonly run: RunContext
  readonly deps: RampDependencies
  readonly parameters: RampParameters
}

async function runRamp(run: RunContext, deps: RampDependencies): Promise<RunOutcome> {
  const parameters = parseRampParameters(run.operation.parameters)
  const ramp: RampRun = { run, deps, parameters }
  await run.failpoint('ramp.begun')
  let position = await readPosition(ramp)
  for (let stepPassed = position.index < 0; ; stepPassed = true) {
    if (run.directive() !== 'continue') return await stopRamp(ramp, position)
    if (stepPassed && position.index === parameters.steps.length - 1)
      return { outcome: 'succeeded', result: { percentage: parameters.steps.at(-1)!, steps: parameters.steps } }
    if (stepPassed) position = await raisePercentage(ramp, position)
    if (run.directive() !== 'continue') continue
    if (!(await observeStep(ramp, position))) return await stopRamp(ramp, await readPosition(ramp))
  }
}

const readPosition = ({ run, parameters }: RampRun): Promise<RampPosition> =>
  requireRampPosition(run.database.state, { id: run.operation.id, rollout: run.rollout.name }, parameters)

async function stopRamp({ run, parameters }: RampRun, { index }: RampPosition): Promise<RunOutcome> {
  const directive = run.directive()
  if (directive === 'pause' || directive === 'cancel')
    await run.recordEvent(
      'ramp',
      index < 0 ? 'The flag was not changed.' : `The flag stays on for ${parameters.steps[index]}%.`,
    )
  return { outcome: 'stopped' }
}

/** Sets the next step once, and only if nobody else has changed the flag since the last step. */
async function raisePercentage(ramp: RampRun, position: RampPosition): Promise<RampPosition> {
  const { run, deps, parameters } = ramp
  const { id, actor, reason } = run.operation
  const index = position.index + 1
  const percentage = parameters.steps[index]!
  run.setStep(`setting step ${index + 1} of ${parameters.steps.length}, ${percentage}%`)
  const reasonText = `ramp ${id}, step ${index + 1} of ${parameters.steps.length}${reason === null ? '' : `: ${reason}`}`
  while (!(await tryChange())) {
    await delay(RETRY_INTERVAL_MS)
    if (run.directive() !== 'continue') return position
    await readPosition(ramp)
  }
  await run.failpoint('ramp.raised')
  return await readPosition(ramp)

  async function tryChange(): Promise<boolean> {
    try {
      await deps.flags.change(run.rollout, { enabled: true, percentage }, actor, reasonText, {
        idempotencyKey: stepIdempotencyKey(id, index),
        requestHash: stepIdempotencyKey(id, index),
        expectedVersion: position.version,
        force: parameters.force,
        rampOperation: Number(id),
      })
      return true
    } catch (error) {
      if (!(error instanceof FlagRefusal)) throw error
      // This agent has not read the flag yet, or a pending off is not written yet.
      if (error.code === 'database-away') return false
      await readPosition(ramp)
      throw new OperationPausedError(`${error.message} Then resume. The ramp is paused before step ${index + 1}.`)
    }
  }
}

/**
 * Holds a step and judges it until it passes. False: the ramp was asked to stop, or the flag was changed.
 * @throws OperationFailedError if the step failed and the flag is off
 * @throws OperationPausedError if the step could not be judged
 */
async function observeStep(ramp: RampRun, position: RampPosition): Promise<boolean> {
  const { run, deps, parameters } = ramp
  const { holdSeconds, steps } = parameters
  const percentage = steps[position.index]!
  const savedProgress = run.operation.progress?.ramp
  const resumed = savedProgress?.step === position.index + 1 ? savedProgress : null
  let state: RampProgress = {
    step: position.index + 1,
    steps,
    percentage,
    holdSeconds: Math.max(holdSeconds, resumed?.holdSeconds ?? 0),
    heldSeconds: resumed?.heldSeconds ?? 0,
    verdict: resumed?.verdict ?? null,
    why: resumed?.why ?? [],
    comparison: resumed?.comparison ?? null,
  }
  const show = (more: Partial<RampProgress>, text: string): void => {
    state = { ...state, ...more }
    reportProgress(run, state)
    run.setStep(`step ${state.step} of ${steps.length}, ${percentage}%: ${text}`)
  }
  if (!(await waitForClients(ramp, position, show))) return false
  const hold = (text: string): Promise<boolean> =>
    holdStep(ramp, position, state, (heldSeconds) =>
      show({ heldSeconds, comparison: deps.comparison(run.rollout.name) }, text),
    )
  if (!(await hold('holding'))) return false
  for (let attempt = 1; ;) {
    show({}, 'judging')
    const judgment = await judgeCurrentStep(ramp, position)
    if (judgment === null || !mayContinue(ramp, position)) return false
    const { verdict } = judgment
    show({ verdict, why: [...judgment.why], comparison: judgment.comparison }, verdict)
    const explanation = judgment.why.length > 0 ? ` (${judgment.why.join('; ')})` : ''
    await run.recordEvent(
      'verdict',
      `Step ${state.step} of ${steps.length}, ${percentage}%: ${verdict}${explanation}`,
      {
        after: judgment,
      },
    )
    await run.failpoint('ramp.judged')
    if (verdict === 'pass') return true
    if (verdict === 'fail') return await failStep(ramp, percentage, judgment)
    const moreSeconds = missingSeconds(judgment, state.holdSeconds, parameters)
    if (moreSeconds !== null) {
      state = { ...state, holdSeconds: state.holdSeconds + moreSeconds }
      if (!(await hold(`waiting for more requests, next judgment in ${formatDuration(moreSeconds)}`))) return false
      continue
    }
    if (attempt === MAX_INCONCLUSIVE_JUDGMENTS)
      throw new OperationPausedError(
        `The step at ${percentage}% was inconclusive ${MAX_INCONCLUSIVE_JUDGMENTS} times: ${judgment.why.join('; ')}. The flag keeps this percentage. Fix the cause, then resume.`,
      )
    const retryText = `inconclusive, next judgment in ${formatDuration(holdSeconds)} (${attempt} of ${MAX_INCONCLUSIVE_JUDGMENTS}): ${judgment.why.join('; ')}`
    state = { ...state, heldSeconds: state.holdSeconds - holdSeconds }
    if (!(await hold(retryText))) return false
    attempt++
  }
}

type ShowProgress = (more: Partial<RampProgress>, text: string) => void

/** Waits until every client has seen the step, at most PROPAGATION_TIMEOUT_MS. */
async function waitForClients(ramp: RampRun, position: RampPosition, show: ShowProgress): Promise<boolean> {
  const { deps, run } = ramp
  const deadline = performance.now() + PROPAGATION_TIMEOUT_MS
  for (;;) {
    if (!mayContinue(ramp, position)) return false
    const { version, clients } = deps.flags.status(run.rollout.name)
    const stale = clients.filter((client) => client.stale).length
    if (version === position.version && stale === 0) return true
    if (performance.now() > deadline) return true
    show({}, `${stale} of ${clients.length} clients have not received the step yet`)
    await delay(POLL_INTERVAL_MS)
  }
}

/** Holds a step until it was held for its time, or until the comparison has found a fault of the new code. */
async function holdStep(
  ramp: RampRun,
  position: RampPosition,
  { heldSeconds, holdSeconds }: Pick<RampProgress, 'heldSeconds' | 'holdSeconds'>,
  show: (heldSeconds: number) => void,
): Promise<boolean> {
  const { run, deps } = ramp
  const startedAt = performance.now()
  for (;;) {
    if (!mayContinue(ramp, position)) return false
    const elapsedSeconds = heldSeconds + (performance.now() - startedAt) / 1000
    show(Math.floor(Math.min(elapsedSeconds, holdSeconds)))
    const comparison = deps.comparison(run.rollout.name)
    if (comparison?.latency.verdict === 'fail' || comparison?.errors.verdict === 'fail') return true
    if (elapsedSeconds >= holdSeconds) return true
    await delay(Math.max(1, Math.min(POLL_INTERVAL_MS, (holdSeconds - elapsedSeconds) * 1000)))
  }
}

/** A longer time is not extrapolated from the first seconds of a step. */
const MIN_EXTENSION_SECONDS = 5

/** How much longer a step is held because it had too few requests to compare; null: that is not why, or not allowed. */
function missingSeconds(
  { checks, comparison }: StepJudgment,
  holdSeconds: number,
  { maximumHoldSeconds }: RampParameters,
): number | null {
  const isOnlyComparison = checks
    .filter(isUndecided)
    .every(({ check }) => VARIANT_CHECKS.some((name) => name === check))
  if (comparison === null || !isOnlyComparison || holdSeconds >= maximumHoldSeconds) return null
  const missing = Math.max(MIN_EXTENSION_SECONDS, comparison.missingSeconds ?? holdSeconds)
  return Math.min(missing, maximumHoldSeconds - holdSeconds)
}

/** True unless the ramp was asked to stop, or this agent knows of another change of the flag. */
function mayContinue({ run, deps }: RampRun, position: RampPosition): boolean {
  const { persisted, version } = deps.flags.status(run.rollout.name)
  return run.directive() === 'continue' && persisted && version <= position.version
}

async function judgeCurrentStep(ramp: RampRun, position: RampPosition): Promise<StepJudgment | null> {
  const { run, deps, parameters } = ramp
  const changedAt = await readStepChangedAt(run, position)
  const flag = () => deps.flags.status(run.rollout.name)
  // A change of the flag also ends a check that waits for readings.
  const interruptibleRun: RunContext = {
    ...run,
    directive: () => (mayContinue(ramp, position) ? 'continue' : 'cancel'),
  }
  return await judgeStep(interruptibleRun, deps, {
    flag,
    operationId: position.operationId!,
    changedAt,
    force: parameters.force,
    comparison: deps.comparison(run.rollout.name),
  })
}

async function readStepChangedAt(run: RunContext, position: RampPosition): Promise<number> {
  const [row] = await run.database.state<{ ended_at: Date }[]>`
    select ended_at from sti.operation where id = ${position.operationId}`
  return row!.ended_at.getTime()
}

async function failStep(ramp: RampRun, percentage: number, { why }: StepJudgment): Promise<never> {
  const { run } = ramp
  const failure = why.join('; ')
  const rollbackPause = await readRollbackPause(run.database.state, run.rollout.name)
  const reasonToKeep = !run.rollout.file.automaticRollback.includes('flag')
    ? 'automaticRollback of the rollout file does not contain flag'
    : rollbackPause &&
      `${rollbackPause.by.name} paused automatic rollback until ${rollbackPause.until.toISOString()} (${rollbackPause.reason})`
  if (reasonToKeep)
    throw new OperationPausedError(
      `The step at ${percentage}% failed (${failure}). ${reasonToKeep}, so the flag stays on: turn it off, or resume to judge the step again.`,
    )
  await run.turnFlagOff(`ramp ${run.operation.id} failed at ${percentage}%: ${failure}`)
  throw new OperationFailedError(
    'ramp-failed',
    `The step at ${percentage}% failed, and the flag was turned off: ${failure}.`,
  )
}

function reportProgress(run: RunContext, ramp: RampProgress): void {
  const total = ramp.steps.length * ramp.holdSeconds
  const elapsedSeconds = (ramp.step - 1) * ramp.holdSeconds + Math.min(ramp.heldSeconds, ramp.holdSeconds)
  run.reportProgress({
    processedRows: Math.floor(elapsedSeconds),
    writtenRows: 0,
    failedRows: 0,
    totalRows: Math.ceil(total),
    unit: 'seconds',
    ratio: Math.floor((elapsedSeconds * 10_000) / total) / 10_000,
    rowsPerSecond: null,
    remainingSeconds: total - elapsedSeconds,
    batchRows: null,
    batchSeconds: null,
    retries: {},
    throttled: ramp.verdict === 'inconclusive' ? ramp.why.join('; ') : null,
    ramp,
  })
}
