import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../database/connect.ts'
import { codeOf, faultOf, isAway, messageOf, OperationTrouble } from './errors.ts'
import type { Feedback } from './feedback.ts'
import type { Key } from './keys.ts'
import { nextRange, type Range, type Walked } from './range.ts'

/** A row that could not be worked on, alone in its range. */
export interface PoisonRow {
  readonly range: Range
  readonly sqlstate: string
  readonly message: string
}

export interface Walk {
  readonly sql: Sql
  readonly walked: Walked
  readonly from: Key | null
  readonly to: Key | null
  readonly feedback: Feedback
  /** Called between batches: waits while throttled; false ends the walk at this safe point. */
  goOn(): Promise<boolean>
  /** The work on one range, in one transaction. */
  work(range: Range): Promise<void>
  poison(row: PoisonRow): Promise<void>
  retried(sqlstate: string): void
}

interface Suspect {
  /** Rows to take at once. */
  readonly pieces: number
  readonly timeouts: number
}

const RETRIES = 12
const HALVINGS = 5

/**
 * Walks the key space from `from` to `to` in ranges. A range that fails by a row's fault is halved until that row is
 * alone; what passes by itself is tried again with growing pauses and jitter. Returns false when it was asked to stop.
 * Throws what cannot be worked round (see faultOf).
 */
export async function walk(job: Walk): Promise<boolean> {
  let low = job.from
  /** Rows up to this key failed together: they are taken in smaller pieces until it is passed. */
  let suspect: Suspect | null = null as Suspect | null
  let left = 0
  let attempts = 0
  for (;;) {
    if (!(await job.goOn())) return false
    const size: number = suspect === null ? job.feedback.size() : Math.max(1, Math.min(left, suspect.pieces))
    let range: Range | null = null
    try {
      range = await nextRange(job.sql, job.walked, low, job.to, size)
      if (range === null) return true
      const started = performance.now()
      await job.work(range)
      if (suspect === null) job.feedback.observe(range.rows, (performance.now() - started) / 1000)
    } catch (error) {
      const fault = faultOf(error)
      const code = codeOf(error) ?? 'unknown'
      const rows: number = range?.rows ?? size
      if (fault === 'row' && range !== null) {
        if (rows === 1) {
          await job.poison({ range, sqlstate: code, message: messageOf(error) })
        } else {
          if (suspect === null) left = rows
          suspect = { pieces: Math.floor(rows / 2), timeouts: suspect?.timeouts ?? 0 }
          continue
        }
      } else if (fault === 'halve' && (suspect?.timeouts ?? 0) < HALVINGS) {
        job.retried(code)
        if (suspect === null) left = rows
        suspect = { pieces: Math.max(1, Math.floor(rows / 2)), timeouts: (suspect?.timeouts ?? 0) + 1 }
        continue
      } else if (isAway(error) || (['retry', 'halve', 'standby'].includes(fault) && attempts < RETRIES)) {
        // While the database is away there is nothing to give up: goOn ends the walk when the lease has run out.
        job.retried(code)
        attempts++
        await delay(Math.min(2_000, 50 * 2 ** Math.min(attempts, 6)) * (0.5 + Math.random()))
        continue
      } else if (fault === 'row' || fault === 'fail') {
        throw error
      } else {
        throw new OperationTrouble(`${messageOf(error)} (${code}). Mend it, then resume.`, { cause: error })
      }
    }
    attempts = 0
    low = range.high
    if (suspect !== null) {
      left -= range.rows
      // Past the rows that failed together: back to the size that feedback chose.
      suspect = left <= 0 ? null : { ...suspect, pieces: suspect.pieces * 2 }
    }
  }
}
