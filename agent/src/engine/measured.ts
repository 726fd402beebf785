import type { Operation, Preview } from '../contract/index.ts'

/** How fast an operation went, with all that it waited for. */
export interface Rate {
  /** Such as `backfill 12`. */
  readonly of: string
  readonly rows: number
  readonly seconds: number
  readonly perSecond: number
}

/** Of an operation that ended; null: it has not counted so many rows, or never began. */
export function rateOf(operation: Operation | undefined, rows: unknown): Rate | null {
  const [counted, seconds] = [Number(rows ?? 0), secondsOf(operation)]
  if (operation === undefined || !(counted > 0) || seconds === null) return null
  return { of: `${operation.kind} ${operation.id}`, rows: counted, seconds, perSecond: counted / seconds }
}

export function secondsOf(operation: Operation | undefined): number | null {
  if (operation?.startedAt == null || operation.endedAt === null) return null
  return Math.max(0.001, (Date.parse(operation.endedAt) - Date.parse(operation.startedAt)) / 1000)
}

export function shown(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  return seconds < 120 ? `${Math.round(seconds * 10) / 10} s` : `${Math.round(seconds / 60)} min`
}

/** How long so many rows take, and what says so: a measurement of this rollout, or an assumption that is named as one. */
export function timeFor(
  rows: number | null,
  measured: Rate | null,
  assumed: { readonly does: string; readonly perSecond: number },
): Pick<Preview, 'estimatedSeconds' | 'estimateBasis'> & { readonly notes: readonly string[] } {
  if (rows === null) {
    const sentence = 'How long it takes is not known: the rows of the table were never counted (ANALYZE it).'
    return { estimatedSeconds: null, estimateBasis: null, notes: [sentence] }
  }
  if (measured !== null) {
    const { of, perSecond } = measured
    const basis = `${of}, ${speed(perSecond)}: ${measured.rows.toLocaleString('en')} rows in ${shown(measured.seconds)}`
    return { estimatedSeconds: rows / perSecond, estimateBasis: basis, notes: [] }
  }
  const seconds = Math.max(1, rows / assumed.perSecond)
  const sentence = `About ${shown(seconds)} if it ${assumed.does} ${speed(assumed.perSecond)}, which was not measured here yet.`
  return { estimatedSeconds: seconds, estimateBasis: null, notes: [sentence] }
}

const speed = (perSecond: number): string => `${Math.round(perSecond).toLocaleString('en')} rows/s`
