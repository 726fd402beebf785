import { isKnown } from '../signals/reading.ts'
import { checksOf, type Check, type Pressure } from './checks.ts'
import type { ThrottleLimits } from './limits.ts'

export type { Pressure } from './checks.ts'

/** Why to wait: a short code for series and a sentence for people; null means go on. */
export type Throttle = { readonly reason: string; readonly sentence: string } | null

export type Decision =
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
const CALM = 0.9

/**
 * What to do now. An abort goes before every pause; else the first reason wins, in the order of checksOf. Where there
 * is a limit, unknown pauses. `before` is the reason that work waits for now, or null.
 */
export function throttle(pressure: Pressure, limits: ThrottleLimits, before: string | null = null): Decision {
  const checks = checksOf(pressure, limits).filter(({ tiers }) => Object.values(tiers).some((tier) => tier !== null))
  for (const check of checks) {
    const sentence = aborts(check)
    if (sentence !== null) return { act: 'abort', reason: check.reason, sentence }
  }
  for (const check of checks) {
    const { reason, reading } = check
    if (!isKnown(reading)) {
      const what = reason === 'signal' ? check.limit.replace('signals.', 'signal ') : reason.replaceAll('-', ' ')
      return { act: 'pause', reason: `${reason}-unknown`, sentence: `${what} unknown: ${reading.unknown}` }
    }
    const sentence = pauses(check, reading.value, before === reason ? CALM : 1)
    if (sentence !== null) return { act: 'pause', reason, sentence }
  }
  return { act: 'go-on' }
}

/**
 * The paced signal that is furthest above its limit: value / limit, and when one of them was read last. Null: no signal
 * is paced; undefined: none of those that are is known now.
 */
export function overload(pressure: Pressure, limits: ThrottleLimits): Overload | null | undefined {
  const paced = checksOf(pressure, limits).filter(({ tiers }) => tiers.pace !== null)
  if (paced.length === 0) return null
  const known = paced.flatMap((check) => {
    const { reading, tiers } = check
    if (!isKnown(reading)) return []
    const sentence = `${check.says(reading.value)}, above ${check.show(tiers.pace!)}`
    return [{ ratio: tiers.pace! > 0 ? reading.value / tiers.pace! : Infinity, at: reading.at, sentence }]
  })
  const worst = known.sort((a, b) => b.ratio - a.ratio)[0]
  return worst && { ...worst, at: Math.max(...known.map(({ at }) => at)) }
}

function aborts({ also, limit, reading, tiers, mend, says, show }: Check): string | null {
  if (also?.act === 'abort') return `${capital(also.sentence)}. ${mend}, or set limits.${limit} to none; then resume.`
  if (!isKnown(reading) || reading.value <= (tiers.abort ?? Infinity)) return null
  const over = `${capital(says(reading.value))}, above ${show(tiers.abort!)}, where work stops.`
  return `${over} ${mend ?? 'Mend it'}, or raise limits.${limit}; then resume.`
}

function pauses({ also, tiers, says, show }: Check, value: number, calm: number): string | null {
  if (also?.act === 'pause') return also.sentence
  if (tiers.pause === null || value <= calm * tiers.pause) return null
  return tiers.pause === 0 ? says(value) : `${says(value)}, above ${show(tiers.pause)}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
