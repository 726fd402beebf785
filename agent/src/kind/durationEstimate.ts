import { operationName, type Operation, type OperationPreview } from '../contract/index.ts'
import { formatCount, formatDuration, formatQuantity } from '../format/format.ts'

/** The rate of a past operation while it worked. */
export interface MeasuredRate {
  /** Such as “Backfill 12”. */
  readonly source: string
  readonly rows: number
  readonly seconds: number
  readonly perSecond: number
}

/** The rate of an operation that ended; null: it counted no rows, or never started. */
export function measuredRate(operation: Operation | undefined, rows: unknown): MeasuredRate | null {
  const [counted, seconds] = [Number(rows ?? 0), operationSeconds(operation)]
  if (operation === undefined || !(counted > 0) || seconds === null) return null
  return { source: operationName(operation), rows: counted, seconds, perSecond: counted / seconds }
}

/** How long an operation that ended worked, without pauses and waits; null: it never started. */
export function operationSeconds(operation: Operation | undefined): number | null {
  if (operation?.startedAt == null || operation.endedAt === null) return null
  return Math.max(0.001, operation.workedSeconds)
}

/** The estimated duration for `rows`, based on a measurement of this rollout, or on an assumption that a note names. */
export function estimateDuration(
  rows: number | null,
  measured: MeasuredRate | null,
  assumption: { readonly does: string; readonly perSecond: number },
): Pick<OperationPreview, 'estimatedSeconds' | 'estimateBasis'> & { readonly notes: readonly string[] } {
  if (rows === null) {
    const sentence = 'The duration is unknown because the table has no row count: run ANALYZE.'
    return { estimatedSeconds: null, estimateBasis: null, notes: [sentence] }
  }
  if (measured !== null) {
    const { source, perSecond } = measured
    const basis = `${source}: ${formatQuantity(measured.rows, 'row')} in ${formatDuration(measured.seconds)}, ${formatRate(perSecond)}`
    return { estimatedSeconds: rows / perSecond, estimateBasis: basis, notes: [] }
  }
  const seconds = Math.max(1, rows / assumption.perSecond)
  const sentence = `About ${formatDuration(seconds)} if it ${assumption.does} ${formatRate(assumption.perSecond)}. This rate is an assumption; it has not been measured here yet.`
  return { estimatedSeconds: seconds, estimateBasis: null, notes: [sentence] }
}

const formatRate = (perSecond: number): string => `${formatCount(Math.round(perSecond))} rows/s`
