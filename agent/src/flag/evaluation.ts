import { computeBucket, isInPercentage } from './bucket.ts'

/** The flag as it is served now. */
export type ServedFlag =
  | {
      readonly kind: 'state'
      readonly enabled: boolean
      /** 0 to 100, of the targeting keys. */
      readonly percentage: number
      readonly version: number
      /** Switched off here, and not yet written to the database. */
      readonly pending: boolean
    }
  /** Nothing that may be served is known: off, and why. */
  | { readonly kind: 'unknown'; readonly why: string }

export type EvaluationReason = 'DISABLED' | 'STATIC' | 'SPLIT' | 'UNKNOWN'

type FlagMetadata = Readonly<Record<string, string | number | boolean>>

export type Evaluation =
  | {
      readonly key: string
      readonly value: boolean
      readonly reason: EvaluationReason
      readonly variant: 'on' | 'off'
      readonly metadata: FlagMetadata
    }
  | {
      readonly key: string
      readonly errorCode: 'FLAG_NOT_FOUND' | 'TARGETING_KEY_MISSING'
      readonly errorDetails: string
    }

/** What a flag answers to one context. Pure; reads nothing but its arguments. */
export function evaluateServedFlag(
  key: string,
  served: ServedFlag,
  context: Readonly<Record<string, unknown>>,
): Evaluation {
  if (served.kind === 'unknown') return toEvaluation(key, false, 'UNKNOWN', { why: served.why })
  const { enabled, percentage, version, pending } = served
  const metadata: FlagMetadata = pending ? { version, persisted: false } : { version }
  if (!enabled) return toEvaluation(key, false, 'DISABLED', metadata)
  if (percentage <= 0 || percentage >= 100) return toEvaluation(key, percentage >= 100, 'STATIC', metadata)
  const { targetingKey } = context
  if (typeof targetingKey !== 'string' || targetingKey === '')
    return {
      key,
      errorCode: 'TARGETING_KEY_MISSING',
      errorDetails: `The flag is on for ${percentage} %: send a targetingKey, so that each one always gets the same answer.`,
    }
  return toEvaluation(key, isInPercentage(computeBucket(key, targetingKey), percentage), 'SPLIT', metadata)
}

function toEvaluation(key: string, value: boolean, reason: EvaluationReason, metadata: FlagMetadata): Evaluation {
  return { key, value, reason, variant: value ? 'on' : 'off', metadata }
}
