import { agentActor } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { codeOf, faultOf, isAway, messageOf, OperationFailure } from '../engine/errors.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind } from '../engine/kind.ts'
import type { Reached } from '../engine/points.ts'
import type { Pressure } from '../engine/throttle.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { rollBackAfter, rollBackMissed } from './afterFailure.ts'
import { claimOperation, heartbeat, release } from './claim.ts'
import { helpWith } from './help.ts'
import type { Observer } from './observer.ts'
import type { OperationRow } from './row.ts'
import { startRun, type RunParts, type StartedRun } from './run.ts'
import { keepSeat, takeSeat } from './seat.ts'
import { stageOf } from './stage.ts'
import { transition } from './transition.ts'

export interface RunnerParts {
  readonly agent: string
  readonly database: Database
  readonly rollouts: readonly Rollout[]
  readonly kinds: readonly Kind[]
  readonly facts: (rollout: Rollout) => Promise<Facts>
  /** Watches while something of this rollout runs, until `stop` is called. */
  readonly watchPressure: (rollout: string) => { readings: Pressure; stop: () => void }
  readonly turnFlagOff: (rollout: string, reason: string) => Promise<void>
  /** Sentences for which nothing is claimed. */
  readonly agentFaults: () => readonly string[]
  readonly observer: Observer
  readonly reached: Reached
  readonly log: Log
  readonly leaseSeconds?: number
}

export interface Runner {
  start(): void
  /** Looks for work at once. */
  poke(): void
  /** Lets running operations reach a safe point and gives them back. */
  stop(): Promise<void>
}

const POLL_MS = 500
/** After a failure that may pass by itself, another look is worth it this much later. */
const RETRY_SECONDS = 2
/** How often a statement may be cancelled or time out where no smaller piece of work would help. */
const CANCELLED = 5

export function createRunner(parts: RunnerParts): Runner {
  const leaseSeconds = parts.leaseSeconds ?? 10
  const rollouts = new Map(parts.rollouts.map((rollout) => [rollout.name, rollout]))
  const kinds = new Map(parts.kinds.map((kind) => [kind.kind, kind]))
  const helped = parts.kinds.filter((kind) => kind.help !== undefined).map((kind) => kind.kind)
  const running = new Set<{ run: StartedRun; ended: Promise<void> }>()
  const cancelled = new Map<bigint, number>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | null = null
  let stopped = false

  const look = async (): Promise<void> => {
    while (!stopped && parts.agentFaults().length === 0) {
      const hashes = new Map([...rollouts].map(([name, rollout]) => [name, rollout.hash]))
      await rollBackMissed(parts.database.state, hashes)
      const claimant = { agent: parts.agent, hashes, leaseSeconds }
      const row = await claimOperation(parts.database.state, claimant)
      if (row !== null) {
        const beat: RunParts['beat'] = (seen) => heartbeat(parts.database.state, row, seen, leaseSeconds)
        begin(row, beat, (run) => work(row, run))
        continue
      }
      const seat = await takeSeat(parts.database.state, claimant, helped)
      if (seat === null) return
      const beat: RunParts['beat'] = () => keepSeat(parts.database.state, seat, leaseSeconds)
      begin(seat.row, beat, (run) => helpWith(seat, run, kinds.get(seat.row.kind)!, parts))
    }
  }

  const begin = (row: OperationRow, beat: RunParts['beat'], work: (run: StartedRun) => Promise<void>): void => {
    const watched = parts.watchPressure(row.rollout)
    const rollout = rollouts.get(row.rollout)!
    const run = startRun({ ...parts, leaseSeconds, row, rollout, pressure: watched.readings, beat })
    // Not by the operation's id: this agent may claim it again while its own lost run still ends.
    const started = { run, ended: Promise.resolve() }
    running.add(started)
    started.ended = work(run).finally(() => {
      watched.stop()
      running.delete(started)
    })
  }

  const poke = (): void => {
    if (stopped || looking !== null) return
    looking = look()
      .catch((error: unknown) => {
        if (!isAway(error)) parts.log({ level: 'error', message: 'looking for work failed', error: messageOf(error) })
      })
      .finally(() => {
        looking = null
      })
  }

  const work = async (row: OperationRow, run: StartedRun): Promise<void> => {
    try {
      await end(row, run)
    } catch (error) {
      // The outcome could not be written: the lease runs out, and whoever claims it then finds it where it stands.
      parts.log({
        level: isAway(error) ? 'warning' : 'error',
        message: `operation ${row.id} is left to its lease`,
        error: messageOf(error),
      })
    } finally {
      run.end()
    }
  }

  const end = async (row: OperationRow, run: StartedRun): Promise<void> => {
    const sql = parts.database.state
    const by = { actor: agentActor(parts.agent) }
    const { claim } = run
    try {
      await run.reached('operation.claimed')
      if (run.asked() === 'go-on') {
        const facts = without(await parts.facts(run.rollout), Number(row.id))
        const refusals = kinds.get(row.kind)!.refusals(facts, row.parameters)
        // Asked again after a crash some of its own work is done, which would refuse it: only the first start is judged.
        if (row.epoch === 1n && refusals.length > 0) throw new OperationFailure('refused', refusals.join(' '))
      }
      const outcome = await kinds
        .get(row.kind)!
        .run(run)
        .catch((error: unknown) => {
          if (codeOf(error) === 'stopped') return { outcome: 'stopped' } as const
          throw error
        })
      await run.saved()
      if (outcome.outcome === 'stopped') {
        await run.reached('operation.standing')
        await standStill(row, run)
        return
      }
      await run.reached('operation.ending')
      const ending = { result: outcome.result }
      await transition(sql, row.id, 'succeed', { ...by, message: 'succeeded' }, { claim, ending })
      parts.observer.ended(row, 'succeeded', outcome.result)
      await run.reached('operation.ended')
    } catch (error) {
      await run.saved()
      await endWithError(row, run, error)
    }
  }

  /** At a safe point, because somebody asked for it, or because this agent gives the operation back. */
  const standStill = async (row: OperationRow, run: StartedRun): Promise<void> => {
    const sql = parts.database.state
    const actor = agentActor(parts.agent)
    const { claim } = run
    switch (run.asked()) {
      case 'pause':
        await transition(sql, row.id, 'stand', { actor, message: 'stands at a safe point' }, { claim })
        return
      case 'cancel':
        await transition(sql, row.id, 'end', { actor, message: 'ended; what was done stays' }, { claim })
        parts.observer.ended(row, 'cancelled', null)
        return
      default:
        await release(sql, row, 0)
    }
  }

  const endWithError = async (row: OperationRow, run: StartedRun, error: unknown): Promise<void> => {
    const sql = parts.database.state
    const { claim } = run
    const actor = agentActor(parts.agent)
    const code = codeOf(error) ?? 'internal'
    const fault = faultOf(error)
    const times = (cancelled.get(row.id) ?? 0) + (fault === 'halve' ? 1 : 0)
    cancelled.set(row.id, times)
    const sentence =
      fault === 'halve'
        ? `${messageOf(error)} (${code}), ${times} times. Look for who cancels it or what holds it up, then resume.`
        : messageOf(error)
    parts.log({ level: 'warning', message: `operation ${row.id} (${row.kind}): ${sentence}`, code })
    const passes = code === 'fence-lost' || isAway(error) || fault === 'retry'
    if (passes || (fault === 'halve' && times <= CANCELLED)) {
      await release(sql, row, RETRY_SECONDS)
      return
    }
    if (code === 'trouble' || ['halve', 'pause', 'standby'].includes(fault)) {
      await transition(
        sql,
        row.id,
        'trouble',
        { actor, message: `stands: ${sentence}` },
        { claim, ending: { errorCode: code, error: sentence } },
      )
      return
    }
    const ending = { errorCode: code, error: error instanceof OperationFailure ? sentence : explained(code, sentence) }
    await transition(sql, row.id, 'fail', { actor, message: `failed: ${ending.error}` }, { claim, ending })
    parts.observer.ended(row, 'failed', { code, error: ending.error })
    await run.reached('operation.failed')
    if (await rollBackAfter(sql, row)) poke()
  }

  return {
    start() {
      timer = setInterval(poke, POLL_MS)
      poke()
    },
    poke,
    async stop() {
      stopped = true
      clearInterval(timer)
      for (const { run } of running) run.giveBack()
      await looking
      await Promise.all([...running].map(({ ended }) => ended))
    },
  }
}

/** The facts as they would be if this operation were not open itself. */
function without(facts: Facts, id: number): Facts {
  const others = { ...facts, open: facts.open.filter((one) => one.id !== id) }
  return { ...others, stage: stageOf(others) }
}

/** What to do about an error that PostgreSQL raised, for the codes a person meets. */
function explained(code: string, message: string): string {
  const advice: Record<string, string> = {
    '42501': 'The agent’s role lacks a right: it must own the table and be allowed to CREATE in the database.',
    '42P01': 'The table is gone: bring it back, or correct the rollout file.',
    '42703': 'A column is gone: bring it back, or correct the rollout file.',
    '42804': 'A column has another type than the rollout file expects: correct the file.',
    '0A000': 'PostgreSQL cannot do this here: look at the message.',
  }
  return `${message} (${code}). ${advice[code] ?? 'Look at the message, mend its cause, then start it again.'}`
}
