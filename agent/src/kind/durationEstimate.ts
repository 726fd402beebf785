import type { Operation, OperationPreview } from '../contract/index.ts'

/** How fast an operation went, with all that it waited for. */
export interface MeasuredRate {
  /** Such as `backfill 12`. */
  readonly source: string
  readonly rows: number
  readonly seconds: number
  readonly perSecond: number
}

/** Of an operation that ended; null: it has not counted so many rows, or never began. */
export function measuredRate(operation: Operation | undefined, rows: unknown): MeasuredRate | null {
  const [counted, seconds] = [Number(rows ?? 0), operationSeconds(operation)]
  if (operation === undefined || !(counted > 0) || seconds === null) return null
  return { source: `${operation.kind} ${operation.id}`, rows: counted, seconds, perSecond: counted / seconds }
}

export function operationSeconds(operation: Operation | undefined): number | null {
  if (operation?.startedAt == null || operation.endedAt === null) return null
  return Math.max(0.001, (Date.parse(operation.endedAt) - Date.parse(operation.startedAt)) / 1000)
}

export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  return seconds < 120 ? `${Math.round(seconds * 10) / 10} s` : `${Math.round(seconds / 60)} min`
}

/** How long so many rows take, and what says so: a measurement of this rollout, or an assumption that is named as one. */
export function estimateDuration(
  rows: number | null,
  measured: MeasuredRate | null,
  assumption: { readonly does: string; readonly perSecond: number },
): Pick<OperationPreview, 'estimatedSeconds' | 'estimateBasis'> & { readonly notes: readonly string[] } {
  if (rows === null) {
    const sentence = 'How long it takes is not known: the rows of the table were never counted (ANALYZE it).'
    return { estimatedSeconds: null, estimateBasis: null, notes: [sentence] }
  }
  if (measured !== null) {
    const { source, perSecond } = measured
    const basis = `${source}, ${formatRate(perSecond)}: ${measured.rows.toLocaleString('en')} rows in ${formatSeconds(measured.seconds)}`
    return { estimatedSeconds: rows / perSecond, estimateBasis: basis, notes: [] }
  }
  const seconds = Math.max(1, rows / assumption.perSecond)
  const sentence = `About ${formatSeconds(seconds)} if it ${assumption.does} ${formatRate(assumption.perSecond)}, which was not measured here yet.`
  return { estimatedSeconds: seconds, estimateBasis: null, notes: [sentence] }
}

const formatRate = (perSecond: number): string => `${Math.round(perSecond).toLocaleString('en')} rows/s`
