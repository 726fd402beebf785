import { LIMIT_NAMES, LIMITS } from '../contract/index.ts'
import { capitalize, formatCount, formatValue, type Unit } from '../format/format.ts'
import { isKnown, type UnknownReading } from '../signals/reading.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import { LIMIT_TABLE, NO_TIERS, type LimitReading, type LimitTiers } from './limitTable.ts'
import type { ThrottleLimits } from './limits.ts'

/** Why work waits: a short code for series and a sentence for people; null: it does not wait. */
export type ThrottleWait = { readonly reason: string; readonly sentence: string } | null

export type ThrottleDecision =
  | { readonly act: 'continue' }
  /** Wait until the value is below its limit again. */
  | { readonly act: 'pause'; readonly reason: string; readonly sentence: string }
  /** Pause at the safe point until a person resumes. */
  | { readonly act: 'abort'; readonly reason: string; readonly sentence: string }

export interface Overload {
  /** The value divided by its pace limit. */
  readonly ratio: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly sentence: string
}

/** One value of the throttle against its limit. */
interface ThrottleCheck extends LimitReading {
  readonly reason: string
  /** What an unknown value is called. */
  readonly title: string
  /** The key of `limits` that a person would change. */
  readonly limit: string
  readonly unit: Unit | null
}

/** A wait ends below this part of the limit that started it, so that it does not end and start all the time. */
const RESUME_RATIO = 0.9

/**
 * What to do now. An abort comes before every pause; otherwise the first limit exceeded is the reason. A value that has
 * a limit and is unknown pauses. `currentReason` is the reason that work waits for now, or null.
 */
export function decideThrottle(
  readings: ThrottleReadings,
  limits: ThrottleLimits,
  currentReason: string | null = null,
): ThrottleDecision {
  const checks = readThrottleChecks(readings, limits).filter(({ tiers }) => hasTier(tiers))
  for (const check of checks) {
    const sentence = abortSentence(check)
    if (sentence !== null) return { act: 'abort', reason: check.reason, sentence }
  }
  for (const check of checks) {
    const { reason, reading, title } = check
    if (!isKnown(reading))
      return { act: 'pause', reason: `${reason}-unknown`, sentence: `${title} is unknown: ${reading.unknown}` }
    const sentence = pauseSentence(check, reading.value, currentReason === reason ? RESUME_RATIO : 1)
    if (sentence !== null) return { act: 'pause', reason, sentence }
  }
  return { act: 'continue' }
}

/**
 * The paced value that is furthest above its limit, with the time of the newest paced reading. Null: no limit paces;
 * undefined: no paced value is known now.
 */
export function findWorstOverload(readings: ThrottleReadings, limits: ThrottleLimits): Overload | null | undefined {
  const paced = readThrottleChecks(readings, limits).filter(({ tiers }) => tiers.pace !== null)
  if (paced.length === 0) return null
  const overloads = paced.flatMap((check): Overload[] => {
    const { reading, tiers } = check
    if (!isKnown(reading)) return []
    const ratio = tiers.pace! > 0 ? reading.value / tiers.pace! : Infinity
    return [{ ratio, at: reading.at, sentence: `${describeValue(check, reading.value)} ${formatLimit(check, 'pace')}` }]
  })
  const worst = overloads.sort((a, b) => b.ratio - a.ratio)[0]
  return worst && { ...worst, at: Math.max(...overloads.map(({ at }) => at)) }
}

/** Every limit with its value: those of the contract, on each server, then those of the file's signals. */
function readThrottleChecks(readings: ThrottleReadings, limits: ThrottleLimits): ThrottleCheck[] {
  const nodes = readings.nodes()
  const builtIn = LIMIT_NAMES.flatMap((name): ThrottleCheck[] => {
    const { reason, unit } = LIMITS[name]
    const [limit, tiers] = [LIMIT_TABLE[name], limits[name]]
    const common = { reason, title: reason.replaceAll('-', ' '), limit: name, unit }
    const onNodes = (isKnown(nodes) ? nodes.value : []).flatMap((node) =>
      limit.readNode ? [onNode({ ...common, ...limit.readNode(node, tiers) }, node.node)] : [],
    )
    return [{ ...common, ...limit.read(readings, tiers) }, ...onNodes]
  })
  const custom = readings.custom().map(({ name, limit, reading }): ThrottleCheck => ({
    reason: 'signal',
    title: `signal ${name}`,
    limit: `signals.${name}`,
    unit: null,
    reading,
    tiers: limits.signals[name] ?? { ...NO_TIERS, pause: limit },
    describe: (value) => `${name} is ${value}`,
    finding: null,
    advice: 'Fix the cause',
  }))
  return [...builtIn, ...custom, ...(isKnown(nodes) ? [] : [unknownNodes(nodes, limits)])]
}

/** The check of a worker of Citus: every text names it. */
function onNode(check: ThrottleCheck, node: string): ThrottleCheck {
  const { finding } = check
  return {
    ...check,
    title: `${check.title} on node ${node}`,
    describe: (value) => `${check.describe(value)} on node ${node}`,
    finding: finding && { ...finding, sentence: `${finding.sentence} on node ${node}` },
  }
}

/** Which servers have the rows is not known: a value that has a limit may be above it on one of them. */
function unknownNodes(reading: UnknownReading, limits: ThrottleLimits): ThrottleCheck {
  const name = LIMIT_NAMES.find((each) => LIMIT_TABLE[each].readNode && hasTier(limits[each]))
  return {
    reason: 'nodes',
    title: 'the list of nodes',
    limit: name ?? '',
    unit: null,
    reading,
    tiers: name === undefined ? NO_TIERS : { ...NO_TIERS, pause: Infinity },
    describe: (value) => value,
    finding: null,
    advice: 'Fix the cause',
  }
}

function hasTier(tiers: LimitTiers): boolean {
  return Object.values(tiers).some((tier) => tier !== null)
}

function abortSentence(check: ThrottleCheck): string | null {
  const { finding, limit, reading, tiers, advice } = check
  if (finding?.act === 'abort')
    return `${capitalize(finding.sentence)}. ${advice}, or set limits.${limit} to none, then resume.`
  if (!isKnown(reading) || reading.value <= (tiers.abort ?? Infinity)) return null
  const description = capitalize(describeValue(check, reading.value))
  return `${description} ${formatLimit(check, 'abort')}. ${advice}, or raise limits.${limit}, then resume.`
}

function pauseSentence(check: ThrottleCheck, value: number, resumeRatio: number): string | null {
  const { finding, tiers } = check
  if (finding?.act === 'pause') return finding.sentence
  if (tiers.pause === null || value <= resumeRatio * tiers.pause) return null
  const description = describeValue(check, value)
  return tiers.pause === 0 ? description : `${description} ${formatLimit(check, 'pause')}`
}

function describeValue({ describe, unit }: ThrottleCheck, value: number): string {
  return describe(formatInUnit(value, unit))
}

function formatLimit({ tiers, unit }: ThrottleCheck, tier: 'pace' | 'pause' | 'abort'): string {
  return `(${tier === 'abort' ? 'abort limit' : 'limit'} ${formatInUnit(tiers[tier]!, unit)})`
}

/** The unit of a custom signal is not known. */
function formatInUnit(value: number, unit: Unit | null): string {
  return unit === null ? formatCount(value) : formatValue(value, unit)
}
