import { setTimeout as delay } from 'node:timers/promises'
import { readRollbackHold } from '../alert/rollbackHoldStore.ts'
import type { RampProgress } from '../contract/index.ts'
import { OperationFailedError, OperationPausedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import type { Flags } from '../flag/flags.ts'
import { FlagRefusal } from '../flag/errors.ts'
import type { ValidationDependencies } from '../validation/check.ts'
import { judgeStep, type StepJudgment } from './judgeStep.ts'
import { parseRampParameters, remainingSteps, type RampParameters } from './rampParameters.ts'
import { requireRampPosition, stepIdempotencyKey, type RampPosition } from './rampPosition.ts'
import { flagRefusals } from './flagRefusals.ts'

export interface RampDependencies extends ValidationDependencies {
  readonly flags: Flags
}

const POLL_INTERVAL_MS = 250
const RETRY_INTERVAL_MS = 1_000
/** As long as this it waits for clients to see a step; those that have not asked by then are silent, or gone. */
const PROPAGATION_TIMEOUT_MS = 60_000
/** Judgements of one step that may be inconclusive; then it stands until a person has looked. */
const MAX_INCONCLUSIVE_JUDGMENTS = 3

/** The flag, step by step. (A change in one step waits for nothing: http/accept.ts.) */
export function createRampKind(deps: RampDependencies): OperationDefinition<'flag'> {
  return {
    kind: 'flag',
    refusals: flagRefusals,
    preview({ rollout, facts }) {
      const steps = remainingSteps(rollout, facts.flag)
      const { hold } = rollout.file.flag
      return Promise.resolve({
        rows: 0,
        estimatedWalBytes: 0,
        estimatedSeconds: steps.length * hold,
        notes: [
          `Goes up by ${steps.join(', ')} %, holds each step for ${hold} s and judges it: on with pass, held with inconclusive, off with fail.`,
          'A pause or the end leaves the flag at the percentage that it has. Whoever changes the flag ends the ramp.',
        ],
      })
    },
    run: (run) => runRamp(run, deps),
  }
}

/** One ramp on this agent: what it was asked, and how to see that somebody else has changed the flag. */
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
    if (run.directive() !== 'go-on') return await stopRamp(ramp, position)
    if (stepPassed && position.index === parameters.steps.length - 1)
      return { outcome: 'succeeded', result: { percentage: 100, steps: parameters.steps } }
    if (stepPassed) position = await raisePercentage(ramp, position)
    if (run.directive() !== 'go-on') continue
    if (!(await observeStep(ramp, position))) return await stopRamp(ramp, await readPosition(ramp))
  }
}

const readPosition = ({ run, parameters: asked }: RampRun): Promise<RampPosition> =>
  requireRampPosition(run.database.state, { id: run.operation.id, rollout: run.rollout.name }, asked)

async function stopRamp({ run, parameters: asked }: RampRun, { index }: RampPosition): Promise<RunOutcome> {
  const directive = run.directive()
  if (directive === 'pause' || directive === 'cancel')
    await run.recordEvent(
      'ramp',
      index < 0 ? 'The flag was not changed.' : `The flag stays on for ${asked.steps[index]} %.`,
    )
  return { outcome: 'stopped' }
}

/** Sets the next step, only if the flag is as this ramp has left it. It happens once, whoever tries it again. */
async function raisePercentage(ramp: RampRun, position: RampPosition): Promise<RampPosition> {
  const { run, deps: parts, parameters: asked } = ramp
  const { id, actor, reason } = run.operation
  const index = position.index + 1
  const percentage = asked.steps[index]!
  run.setStep(`sets step ${index + 1} of ${asked.steps.length}, ${percentage} %`)
  const reasonText = `ramp ${id}, step ${index + 1} of ${asked.steps.length}${reason === null ? '' : `: ${reason}`}`
  while (!(await tryChange())) {
    await delay(RETRY_INTERVAL_MS)
    if (run.directive() !== 'go-on') return position
    await readPosition(ramp)
  }
  await run.failpoint('ramp.raised')
  return await readPosition(ramp)

  async function tryChange(): Promise<boolean> {
    try {
      await parts.flags.change(run.rollout, { enabled: true, percentage }, actor, reasonText, {
        idempotencyKey: stepIdempotencyKey(id, index),
        requestHash: stepIdempotencyKey(id, index),
        expectedVersion: position.version,
        force: asked.force,
        rampOperation: Number(id),
      })
      return true
    } catch (error) {
      if (!(error instanceof FlagRefusal)) throw error
      // This agent has not read the flag yet, or an off is on its way to the database.
      if (error.code === 'database-away') return false
      await readPosition(ramp)
      throw new OperationPausedError(`${error.message} Then resume: the ramp stands before step ${index + 1}.`)
    }
  }
}

/**
 * Holds a step and judges it until it passes. False: it was asked to stop, or the flag was changed.
 * @throws OperationFailure when it failed, and the flag is off
 * @throws OperationTrouble when it could not be judged
 */
async function observeStep(ramp: RampRun, position: RampPosition): Promise<boolean> {
  const { run, parameters: asked } = ramp
  const { holdSeconds, steps } = asked
  const percentage = steps[position.index]!
  const savedProgress = run.operation.progress?.ramp
  const resumed = savedProgress?.step === position.index + 1 ? savedProgress : null
  let state: RampProgress = {
    step: position.index + 1,
    steps,
    percentage,
    holdSeconds,
    heldSeconds: resumed?.heldSeconds ?? 0,
    verdict: resumed?.verdict ?? null,
    why: resumed?.why ?? [],
  }
  const show = (more: Partial<RampProgress>, text: string): void => {
    state = { ...state, ...more }
    reportProgress(run, state)
    run.setStep(`step ${state.step} of ${steps.length}, ${percentage} %: ${text}`)
  }
  if (!(await waitForClients(ramp, position, show))) return false
  if (!(await holdStep(ramp, position, holdSeconds - state.heldSeconds, (seconds) => show(seconds, 'holds'))))
    return false
  for (let attempt = 1; ; attempt++) {
    show({}, 'is judged')
    const judgement = await judgeCurrentStep(ramp, position)
    if (judgement === null || !mayContinue(ramp, position)) return false
    const { verdict } = judgement
    show({ verdict, why: [...judgement.why] }, verdict)
    const explanation = judgement.why.length > 0 ? ` (${judgement.why.join('; ')})` : ''
    await run.recordEvent(
      'verdict',
      `step ${state.step} of ${steps.length}, ${percentage} %: ${verdict}${explanation}`,
      {
        after: judgement,
      },
    )
    await run.failpoint('ramp.judged')
    if (verdict === 'pass') return true
    if (verdict === 'fail') return await failStep(ramp, percentage, judgement)
    if (attempt === MAX_INCONCLUSIVE_JUDGMENTS)
      throw new OperationPausedError(
        `The step at ${percentage} % was inconclusive ${MAX_INCONCLUSIVE_JUDGMENTS} times, and stays as it is: ${judgement.why.join('; ')}. Mend that, then resume.`,
      )
    const retryText = `inconclusive, is judged again in ${holdSeconds} s (${attempt} of ${MAX_INCONCLUSIVE_JUDGMENTS}): ${judgement.why.join('; ')}`
    if (!(await holdStep(ramp, position, holdSeconds, () => show({}, retryText)))) return false
  }
}

type ShowProgress = (more: Partial<RampProgress>, text: string) => void

/** Waits until every client has asked since, and no longer than one that lives may take. */
async function waitForClients(ramp: RampRun, position: RampPosition, show: ShowProgress): Promise<boolean> {
  const { deps: parts, run } = ramp
  const deadline = performance.now() + PROPAGATION_TIMEOUT_MS
  for (;;) {
    if (!mayContinue(ramp, position)) return false
    const { version, clients } = parts.flags.status(run.rollout.name)
    const stale = clients.filter((client) => client.stale).length
    if (version === position.version && stale === 0) return true
    if (performance.now() > deadline) return true
    show({}, `${stale} of ${clients.length} clients have not seen it yet`)
    await delay(POLL_INTERVAL_MS)
  }
}

async function holdStep(
  ramp: RampRun,
  position: RampPosition,
  seconds: number,
  show: (more: Pick<RampProgress, 'heldSeconds'>) => void,
): Promise<boolean> {
  const startedAt = performance.now()
  const heldBefore = ramp.parameters.holdSeconds - seconds
  for (;;) {
    if (!mayContinue(ramp, position)) return false
    const elapsedSeconds = (performance.now() - startedAt) / 1000
    show({ heldSeconds: Math.floor(Math.min(heldBefore + elapsedSeconds, ramp.parameters.holdSeconds)) })
    if (elapsedSeconds >= seconds) return true
    await delay(Math.min(POLL_INTERVAL_MS, (seconds - elapsedSeconds) * 1000))
  }
}

/** Nobody has asked it to stop, and this agent knows of no other change of the flag. */
function mayContinue({ run, deps: parts }: RampRun, position: RampPosition): boolean {
  const { persisted, version } = parts.flags.status(run.rollout.name)
  return run.directive() === 'go-on' && persisted && version <= position.version
}

async function judgeCurrentStep(ramp: RampRun, position: RampPosition): Promise<StepJudgment | null> {
  const { run, deps: parts, parameters: asked } = ramp
  const changedAt = await readStepChangedAt(run, position)
  const flag = () => parts.flags.status(run.rollout.name)
  // A check that waits for readings ends as well when somebody changes the flag.
  const interruptibleRun: RunContext = { ...run, directive: () => (mayContinue(ramp, position) ? 'go-on' : 'cancel') }
  return await judgeStep(interruptibleRun, parts, {
    flag,
    operationId: position.operationId!,
    changedAt,
    force: asked.force,
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
  const rollbackPause = await readRollbackHold(run.database.state, run.rollout.name)
  const reasonToKeep = !run.rollout.file.automaticRollback.includes('flag')
    ? 'The rollout file has no flag in automaticRollback'
    : rollbackPause &&
      `${rollbackPause.by.name} holds automatic rollback until ${rollbackPause.until.toISOString()} (${rollbackPause.reason})`
  if (reasonToKeep)
    throw new OperationPausedError(
      `The step at ${percentage} % failed (${failure}). ${reasonToKeep}, so the flag stays on: turn it off yourself, or resume to judge again.`,
    )
  await run.turnFlagOff(`ramp ${run.operation.id} failed at ${percentage} %: ${failure}`)
  throw new OperationFailedError('ramp-failed', `The step at ${percentage} % failed, and the flag is off: ${failure}.`)
}

function reportProgress(run: RunContext, ramp: RampProgress): void {
  const total = ramp.steps.length * ramp.holdSeconds
  const elapsedSeconds = (ramp.step - 1) * ramp.holdSeconds + ramp.heldSeconds
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
