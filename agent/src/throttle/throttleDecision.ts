import { isKnown } from '../signals/reading.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import { buildThrottleChecks, type ThrottleCheck } from './throttleChecks.ts'
import type { ThrottleLimits } from './limits.ts'

/** Why to wait: a short code for series and a sentence for people; null means go on. */
export type ThrottleWait = { readonly reason: string; readonly sentence: string } | null

export type ThrottleDecision =
  | { readonly act: 'go-on' }
  /** Wait until it has passed. */
  | { readonly act: 'pause'; readonly reason: string; readonly sentence: string }
  /** Stand at the safe point until a person has looked at it. */
  | { readonly act: 'abort'; readonly reason: string; readonly sentence: string }

export interface Overload {
  readonly ratio: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly sentence: string
}

/** A wait ends below this part of the limit that began it, so that it does not end and begin all the time. */
const RESUME_RATIO = 0.9

/**
 * What to do now. An abort goes before every pause; else the first reason wins, in the order of checksOf. Where there
 * is a limit, unknown pauses. `before` is the reason that work waits for now, or null.
 */
export function decideThrottle(
  pressure: ThrottleReadings,
  limits: ThrottleLimits,
  currentReason: string | null = null,
): ThrottleDecision {
  const checks = buildThrottleChecks(pressure, limits).filter(({ tiers }) =>
    Object.values(tiers).some((tier) => tier !== null),
  )
  for (const check of checks) {
    const sentence = abortSentence(check)
    if (sentence !== null) return { act: 'abort', reason: check.reason, sentence }
  }
  for (const check of checks) {
    const { reason, reading } = check
    if (!isKnown(reading)) {
      const signal = reason === 'signal' ? check.limit.replace('signals.', 'signal ') : reason.replaceAll('-', ' ')
      return { act: 'pause', reason: `${reason}-unknown`, sentence: `${signal} unknown: ${reading.unknown}` }
    }
    const sentence = pauseSentence(check, reading.value, currentReason === reason ? RESUME_RATIO : 1)
    if (sentence !== null) return { act: 'pause', reason, sentence }
  }
  return { act: 'go-on' }
}

/**
 * The paced signal that is furthest above its limit: value / limit, and when one of them was read last. Null: no signal
 * is paced; undefined: none of those that are is known now.
 */
export function findWorstOverload(pressure: ThrottleReadings, limits: ThrottleLimits): Overload | null | undefined {
  const paced = buildThrottleChecks(pressure, limits).filter(({ tiers }) => tiers.pace !== null)
  if (paced.length === 0) return null
  const knownReadings = paced.flatMap((check) => {
    const { reading, tiers } = check
    if (!isKnown(reading)) return []
    const sentence = `${check.describe(reading.value)}, above ${check.formatValue(tiers.pace!)}`
    return [{ ratio: tiers.pace! > 0 ? reading.value / tiers.pace! : Infinity, at: reading.at, sentence }]
  })
  const worst = knownReadings.sort((a, b) => b.ratio - a.ratio)[0]
  return worst && { ...worst, at: Math.max(...knownReadings.map(({ at }) => at)) }
}

function abortSentence({
  statusFinding,
  limit,
  reading,
  tiers,
  remedy,
  describe,
  formatValue,
}: ThrottleCheck): string | null {
  if (statusFinding?.act === 'abort')
    return `${capitalize(statusFinding.sentence)}. ${remedy}, or set limits.${limit} to none; then resume.`
  if (!isKnown(reading) || reading.value <= (tiers.abort ?? Infinity)) return null
  const finding = `${capitalize(describe(reading.value))}, above ${formatValue(tiers.abort!)}, where work stops.`
  return `${finding} ${remedy ?? 'Mend it'}, or raise limits.${limit}; then resume.`
}

function pauseSentence(
  { statusFinding, tiers, describe, formatValue }: ThrottleCheck,
  value: number,
  resumeRatio: number,
): string | null {
  if (statusFinding?.act === 'pause') return statusFinding.sentence
  if (tiers.pause === null || value <= resumeRatio * tiers.pause) return null
  return tiers.pause === 0 ? describe(value) : `${describe(value)}, above ${formatValue(tiers.pause)}`
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
