import { agentActor, type Progress } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { isAway, messageOf } from '../engine/errors.ts'
import type { Facts } from '../engine/facts.ts'
import type { Asked, Claim, Run } from '../engine/kind.ts'
import type { Reached } from '../engine/points.ts'
import type { Pressure } from '../engine/throttle.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Heartbeat } from './claim.ts'
import { appendEvent } from './events.ts'
import type { Observer } from './observer.ts'
import type { OperationRow } from './row.ts'

export interface RunParts {
  readonly agent: string
  readonly database: Database
  readonly row: OperationRow
  readonly rollout: Rollout
  readonly pressure: Pressure
  readonly leaseSeconds: number
  readonly facts: (rollout: Rollout) => Promise<Facts>
  readonly turnFlagOff: (rollout: string, reason: string) => Promise<void>
  readonly observer: Observer
  readonly reached: Reached
  readonly log: Log
  /** Keeps the lease; null: it is lost. */
  readonly beat: (seen: { step: string | null; progress: Progress | null }) => Promise<Heartbeat | null>
}

export interface StartedRun extends Run {
  /** The agent stops: the work ends at its next safe point and is given back. */
  giveBack(): void
  /** Saves step and progress once more. */
  saved(): Promise<void>
  end(): void
}

/** How often the heartbeat saves progress and hears what people ask; the lease is many of these long. */
const BEAT_MS = 500
/** With --enable-monitoring a reading of the progress becomes an event this often, and so a curve that stays. */
const READING_MS = 5_000

/** What a kind gets while it runs, with the heartbeat that keeps its lease. */
export function startRun(parts: RunParts): StartedRun {
  const { row, database, rollout } = parts
  const claim: Claim = { id: row.id, epoch: row.epoch, claim: row.claim! }
  let asked: Asked = row.state === 'pausing' ? 'pause' : row.state === 'cancelling' ? 'cancel' : 'go-on'
  let parameters = row.parameters
  let step = row.step
  let progress: Progress | null = row.progress
  let lastBeat = performance.now()
  let beating: Promise<void> | null = null

  let lastReading = -Infinity
  const keepReading = async (last: boolean): Promise<void> => {
    if (row.parameters['enableMonitoring'] !== true || progress === null) return
    if (!last && performance.now() - lastReading < READING_MS) return
    lastReading = performance.now()
    const message = `${progress.processedRows} of ${progress.totalRows} rows, ${Math.round(progress.rowsPerSecond ?? 0)} rows/s`
    const actor = agentActor(parts.agent)
    const event = { operationId: row.id, rollout: row.rollout, actor, kind: 'reading', message, after: progress }
    await appendEvent(database.state, event)
  }

  const beat = async (): Promise<void> => {
    const started = performance.now()
    try {
      const answer = await parts.beat({ step, progress })
      if (answer === null) {
        asked = 'lost'
        return
      }
      lastBeat = started
      await keepReading(false)
      parameters = answer.parameters
      if (asked !== 'lost')
        asked = answer.state === 'pausing' ? 'pause' : answer.state === 'cancelling' ? 'cancel' : 'go-on'
    } catch (error) {
      if (!isAway(error))
        parts.log({ level: 'warning', message: `heartbeat of operation ${row.id} failed`, error: messageOf(error) })
    }
    // Without the database nobody renews the lease. Others may hold it by now: the fence would stop us, so stop first.
    if (performance.now() - lastBeat > parts.leaseSeconds * 1000) asked = 'lost'
  }
  const timer = setInterval(() => {
    beating ??= beat().finally(() => {
      beating = null
    })
  }, BEAT_MS)

  return {
    agent: parts.agent,
    operation: row,
    claim,
    rollout,
    database,
    pressure: parts.pressure,
    parameters: () => parameters,
    asked: () => asked,
    facts: () => parts.facts(rollout),
    step(text) {
      step = text
    },
    progress(numbers) {
      progress = numbers
      parts.observer.progressed(row, numbers)
    },
    async event(kind, message, details = {}) {
      const actor = details.actor ?? agentActor(parts.agent)
      await appendEvent(database.state, { operationId: row.id, rollout: row.rollout, actor, kind, message, ...details })
    },
    batch: (seconds, rows) => parts.observer.batch(row, seconds, rows),
    turnFlagOff: (reason) => parts.turnFlagOff(row.rollout, reason),
    reached: parts.reached,
    giveBack() {
      if (asked === 'go-on') asked = 'lost'
    },
    async saved() {
      clearInterval(timer)
      await beating
      try {
        await parts.beat({ step, progress })
        await keepReading(true)
      } catch (error) {
        if (!isAway(error)) throw error
      }
    },
    end: () => clearInterval(timer),
  }
}
