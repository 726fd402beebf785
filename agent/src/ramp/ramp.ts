import { setTimeout as delay } from 'node:timers/promises'
import { readHold } from '../alert/hold.ts'
import type { RampProgress } from '../contract/index.ts'
import { OperationFailure, OperationTrouble } from '../engine/errors.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import type { Flags } from '../flag/flags.ts'
import { FlagRefusal } from '../flag/errors.ts'
import type { ValidationParts } from '../validation/check.ts'
import { judge, type Judgement } from './judge.ts'
import { rampParameters, stepsFrom, type RampParameters } from './parameters.ts'
import { placeOf, stepKey, type Place } from './place.ts'
import { rampRefusals } from './refusals.ts'

export interface RampParts extends ValidationParts {
  readonly flags: Flags
}

const LOOK_MS = 250
const RETRY_MS = 1_000
/** As long as this it waits for clients to see a step; those that have not asked by then are silent, or gone. */
const SEEN_MS = 60_000
/** Judgements of one step that may be inconclusive; then it stands until a person has looked. */
const TRIES = 3

/** The flag, step by step. (A change in one step waits for nothing: http/accept.ts.) */
export function createRamp(parts: RampParts): Kind {
  return {
    kind: 'flag',
    writesTable: false,
    refusals: rampRefusals,
    preview({ rollout, facts }) {
      const steps = stepsFrom(rollout, facts.flag)
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
    run: (run) => climb(run, parts),
  }
}

/** One ramp on this agent: what it was asked, and how to see that somebody else has changed the flag. */
interface Climb {
  readonly run: Run
  readonly parts: RampParts
  readonly asked: RampParameters
}

async function climb(run: Run, parts: RampParts): Promise<Outcome> {
  const asked = rampParameters(run.operation.parameters)
  const of: Climb = { run, parts, asked }
  await run.reached('ramp.begun')
  let place = await placeNow(of)
  for (let passed = place.index < 0; ; passed = true) {
    if (run.asked() !== 'go-on') return await stands(of, place)
    if (passed && place.index === asked.steps.length - 1)
      return { outcome: 'succeeded', result: { percentage: 100, steps: asked.steps } }
    if (passed) place = await raise(of, place)
    if (run.asked() !== 'go-on') continue
    if (!(await watched(of, place))) return await stands(of, await placeNow(of))
  }
}

const placeNow = ({ run, asked }: Climb): Promise<Place> =>
  placeOf(run.database.state, { id: run.operation.id, rollout: run.rollout.name }, asked)

async function stands({ run, asked }: Climb, { index }: Place): Promise<Outcome> {
  const how = run.asked()
  if (how === 'pause' || how === 'cancel')
    await run.event('ramp', index < 0 ? 'The flag was not changed.' : `The flag stays on for ${asked.steps[index]} %.`)
  return { outcome: 'stopped' }
}

/** Sets the next step, only if the flag is as this ramp has left it. It happens once, whoever tries it again. */
async function raise(of: Climb, place: Place): Promise<Place> {
  const { run, parts, asked } = of
  const { id, actor, reason } = run.operation
  const index = place.index + 1
  const percentage = asked.steps[index]!
  run.step(`sets step ${index + 1} of ${asked.steps.length}, ${percentage} %`)
  const why = `ramp ${id}, step ${index + 1} of ${asked.steps.length}${reason === null ? '' : `: ${reason}`}`
  while (!(await changed())) {
    await delay(RETRY_MS)
    if (run.asked() !== 'go-on') return place
    await placeNow(of)
  }
  await run.reached('ramp.raised')
  return await placeNow(of)

  async function changed(): Promise<boolean> {
    try {
      await parts.flags.change(run.rollout, { enabled: true, percentage }, actor, why, {
        idempotencyKey: stepKey(id, index),
        requestHash: stepKey(id, index),
        expectedVersion: place.version,
        force: asked.force,
        rampOperation: Number(id),
      })
      return true
    } catch (error) {
      if (!(error instanceof FlagRefusal)) throw error
      // This agent has not read the flag yet, or an off is on its way to the database.
      if (error.code === 'database-away') return false
      await placeNow(of)
      throw new OperationTrouble(`${error.message} Then resume: the ramp stands before step ${index + 1}.`)
    }
  }
}

/**
 * Holds a step and judges it until it passes. False: it was asked to stop, or the flag was changed.
 * @throws OperationFailure when it failed, and the flag is off
 * @throws OperationTrouble when it could not be judged
 */
async function watched(of: Climb, place: Place): Promise<boolean> {
  const { run, asked } = of
  const { holdSeconds, steps } = asked
  const percentage = steps[place.index]!
  const before = run.operation.progress?.ramp
  const known = before?.step === place.index + 1 ? before : null
  let state: RampProgress = {
    step: place.index + 1,
    steps,
    percentage,
    holdSeconds,
    heldSeconds: known?.heldSeconds ?? 0,
    verdict: known?.verdict ?? null,
    why: known?.why ?? [],
  }
  const show = (more: Partial<RampProgress>, text: string): void => {
    state = { ...state, ...more }
    report(run, state)
    run.step(`step ${state.step} of ${steps.length}, ${percentage} %: ${text}`)
  }
  if (!(await seen(of, place, show))) return false
  if (!(await held(of, place, holdSeconds - state.heldSeconds, (seconds) => show(seconds, 'holds')))) return false
  for (let tries = 1; ; tries++) {
    show({}, 'is judged')
    const judgement = await judged(of, place)
    if (judgement === null || !goesOn(of, place)) return false
    const { verdict } = judgement
    show({ verdict, why: [...judgement.why] }, verdict)
    const said = judgement.why.length > 0 ? ` (${judgement.why.join('; ')})` : ''
    await run.event('verdict', `step ${state.step} of ${steps.length}, ${percentage} %: ${verdict}${said}`, {
      after: judgement,
    })
    await run.reached('ramp.judged')
    if (verdict === 'pass') return true
    if (verdict === 'fail') return await failed(of, percentage, judgement)
    if (tries === TRIES)
      throw new OperationTrouble(
        `The step at ${percentage} % was inconclusive ${TRIES} times, and stays as it is: ${judgement.why.join('; ')}. Mend that, then resume.`,
      )
    const again = `inconclusive, is judged again in ${holdSeconds} s (${tries} of ${TRIES}): ${judgement.why.join('; ')}`
    if (!(await held(of, place, holdSeconds, () => show({}, again)))) return false
  }
}

type Show = (more: Partial<RampProgress>, text: string) => void

/** Waits until every client has asked since, and no longer than one that lives may take. */
async function seen(of: Climb, place: Place, show: Show): Promise<boolean> {
  const { parts, run } = of
  const until = performance.now() + SEEN_MS
  for (;;) {
    if (!goesOn(of, place)) return false
    const { version, clients } = parts.flags.status(run.rollout.name)
    const stale = clients.filter((client) => client.stale).length
    if (version === place.version && stale === 0) return true
    if (performance.now() > until) return true
    show({}, `${stale} of ${clients.length} clients have not seen it yet`)
    await delay(LOOK_MS)
  }
}

async function held(
  of: Climb,
  place: Place,
  seconds: number,
  show: (more: Pick<RampProgress, 'heldSeconds'>) => void,
): Promise<boolean> {
  const began = performance.now()
  const before = of.asked.holdSeconds - seconds
  for (;;) {
    if (!goesOn(of, place)) return false
    const passed = (performance.now() - began) / 1000
    show({ heldSeconds: Math.floor(Math.min(before + passed, of.asked.holdSeconds)) })
    if (passed >= seconds) return true
    await delay(Math.min(LOOK_MS, (seconds - passed) * 1000))
  }
}

/** Nobody has asked it to stop, and this agent knows of no other change of the flag. */
function goesOn({ run, parts }: Climb, place: Place): boolean {
  const { persisted, version } = parts.flags.status(run.rollout.name)
  return run.asked() === 'go-on' && persisted && version <= place.version
}

async function judged(of: Climb, place: Place): Promise<Judgement | null> {
  const { run, parts, asked } = of
  const changedAt = await changedAtOf(run, place)
  const flag = () => parts.flags.status(run.rollout.name)
  // A check that waits for readings ends as well when somebody changes the flag.
  const stopping: Run = { ...run, asked: () => (goesOn(of, place) ? 'go-on' : 'cancel') }
  return await judge(stopping, parts, { flag, change: place.change!, changedAt, force: asked.force })
}

async function changedAtOf(run: Run, place: Place): Promise<number> {
  const [row] = await run.database.state<{ ended_at: Date }[]>`
    select ended_at from sti.operation where id = ${place.change}`
  return row!.ended_at.getTime()
}

async function failed(of: Climb, percentage: number, { why }: Judgement): Promise<never> {
  const { run } = of
  const because = why.join('; ')
  const hold = await readHold(run.database.state, run.rollout.name)
  const stays = !run.rollout.file.automaticRollback.includes('flag')
    ? 'The rollout file has no flag in automaticRollback'
    : hold && `${hold.by.name} holds automatic rollback until ${hold.until.toISOString()} (${hold.reason})`
  if (stays)
    throw new OperationTrouble(
      `The step at ${percentage} % failed (${because}). ${stays}, so the flag stays on: turn it off yourself, or resume to judge again.`,
    )
  await run.turnFlagOff(`ramp ${run.operation.id} failed at ${percentage} %: ${because}`)
  throw new OperationFailure('ramp-failed', `The step at ${percentage} % failed, and the flag is off: ${because}.`)
}

function report(run: Run, ramp: RampProgress): void {
  const total = ramp.steps.length * ramp.holdSeconds
  const passed = (ramp.step - 1) * ramp.holdSeconds + ramp.heldSeconds
  run.progress({
    processedRows: Math.floor(passed),
    writtenRows: 0,
    failedRows: 0,
    totalRows: Math.ceil(total),
    unit: 'seconds',
    ratio: Math.floor((passed * 10_000) / total) / 10_000,
    rowsPerSecond: null,
    remainingSeconds: total - passed,
    batchRows: null,
    batchSeconds: null,
    retries: {},
    throttled: ramp.verdict === 'inconclusive' ? ramp.why.join('; ') : null,
    ramp,
  })
}
