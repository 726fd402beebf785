import { createHash } from 'node:crypto'

/** The state that is served now. */
export type ServedFlag =
  | {
      readonly kind: 'state'
      readonly enabled: boolean
      /** Percentage of targeting keys, 0 to 100. */
      readonly percentage: number
      readonly version: number
      /** Turned off here, and not yet written to the database. */
      readonly pending: boolean
    }
  /** No state is known: serves off, with the reason. */
  | { readonly kind: 'unknown'; readonly why: string }

type EvaluationReason = 'DISABLED' | 'STATIC' | 'SPLIT' | 'UNKNOWN'

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

/** Evaluates a flag for one context. Pure. */
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
      errorDetails: `The flag is on for ${percentage}%: send a targetingKey, so that each key always gets the same value.`,
    }
  return toEvaluation(key, isInPercentage(computeBucket(key, targetingKey), percentage), 'SPLIT', metadata)
}

function toEvaluation(key: string, value: boolean, reason: EvaluationReason, metadata: FlagMetadata): Evaluation {
  return { key, value, reason, variant: value ? 'on' : 'off', metadata }
}

const BUCKET_COUNT = 10_000

/**
 * The bucket of a targeting key, 0 to 9,999: the first 48 bits of SHA-256 (FIPS 180-4) over the flag's key, a NUL and
 * the targeting key, modulo 10,000 (its bias is below 10^-10). The flag's key is in it so that two flags at 10% do
 * not always pick the same people; the percentage is not, so that raising it only ever adds people.
 */
export function computeBucket(flagKey: string, targetingKey: string): number {
  return createHash('sha256').update(`${flagKey}\0${targetingKey}`, 'utf8').digest().readUIntBE(0, 6) % BUCKET_COUNT
}

/** True if the bucket is among the first `percentage` of all buckets (0 to 100, in steps of 0.01). */
export function isInPercentage(bucket: number, percentage: number): boolean {
  return bucket < Math.round((percentage * BUCKET_COUNT) / 100)
}
