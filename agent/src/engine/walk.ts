import type { Sql } from '../database/connect.ts'
import { codeOf, faultOf, messageOf } from './errors.ts'
import type { Feedback } from './feedback.ts'
import type { Key } from './keys.ts'
import { createPatience } from './patience.ts'
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
  /**
   * The next range after `low`, where ranges are not cut by counting rows along the key. Its rows may be estimated, but
   * are above 1 then.
   */
  next?(low: Key | null): Range | null
  /** The work on a range of `next`, in any number of transactions; `again`: it is to be cut anew. */
  workAtLength?(range: Range): Promise<'done' | 'again' | 'stopped'>
  /** The work on a counted range, in one transaction. */
  work(range: Range): Promise<void>
  poison(row: PoisonRow): Promise<void>
  retried(sqlstate: string): void
}

/** Rows that failed together: they are taken in smaller pieces, counted, until they are passed. */
interface Suspect {
  readonly until: Key
  /** Rows to take at once, and when that is enough again: then they are suspect no more. */
  readonly pieces: number
  readonly timeouts: number
}

/** How often rows are halved because of a time-out, which is seldom their fault. */
const HALVINGS = 5

/**
 * Walks from `from` to `to` in ranges. A range that fails by a row's fault is halved until that row is alone; what
 * passes by itself is tried again with growing pauses and jitter. Returns false when it was asked to stop. Throws what
 * cannot be worked round (see faultOf).
 */
export async function walk(job: Walk): Promise<boolean> {
  const patience = createPatience(job.sql, job.retried)
  let low = job.from
  let suspect: Suspect | null = null as Suspect | null
  let alone: PoisonRow | null = null
  for (;;) {
    if (!(await job.goOn())) return false
    const started = performance.now()
    const seconds = (): number => (performance.now() - started) / 1000
    let range: Range | null = null
    const atLength = suspect === null && job.next !== undefined && job.workAtLength !== undefined
    try {
      if (alone !== null) {
        range = alone.range
        await job.poison(alone)
        alone = null
      } else if (atLength) {
        range = job.next!(low)
        if (range === null) return true
        const end = await job.workAtLength!(range)
        if (end === 'stopped') return false
        if (end === 'again') continue
      } else {
        const size = Math.min(job.feedback.size(), suspect?.pieces ?? Infinity)
        range = await nextRange(job.sql, job.walked, low, suspect?.until ?? job.to, size)
        if (range === null && suspect !== null) {
          low = suspect.until
          suspect = null
          continue
        }
        if (range === null) return true
        await job.work(range)
        if (suspect === null) job.feedback.observe(range.rows, seconds())
      }
    } catch (error) {
      const fault = faultOf(error)
      const halves = fault === 'row' || (fault === 'halve' && (suspect?.timeouts ?? 0) < HALVINGS)
      if (alone !== null || range === null || !halves) {
        await patience.bear(error)
        continue
      }
      if (fault === 'row' && !atLength && range.rows === 1) {
        alone = { range, sqlstate: codeOf(error) ?? 'unknown', message: messageOf(error) }
        continue
      }
      if (fault === 'halve') {
        job.retried(codeOf(error) ?? 'unknown')
        if (!atLength) job.feedback.observe(range.rows, seconds())
      }
      suspect = {
        until: suspect?.until ?? range.high,
        pieces: Math.max(1, Math.floor(Math.min(range.rows, job.feedback.size()) / 2)),
        timeouts: (suspect?.timeouts ?? 0) + (fault === 'halve' ? 1 : 0),
      }
      continue
    }
    patience.calm()
    low = range.high
    if (suspect !== null) suspect = { ...suspect, pieces: Math.min(job.feedback.size(), suspect.pieces * 2) }
  }
}
