import { LIMITS, type Limits } from '../contract/index.ts'

export type LimitName = keyof typeof LIMITS

/** The tiers of one limit; null: there is none. Only the limits in PACED have a pace. */
export interface Tiers {
  readonly pace: number | null
  readonly pause: number | null
  readonly abort: number | null
}

export interface ThrottleLimits extends Readonly<Record<LimitName, Tiers>> {
  /** By the name of each of the file's signals, in its order. */
  readonly signals: Readonly<Record<string, Tiers>>
}

/** What the limits need of a rollout file. */
export interface LimitedFile {
  readonly throttle: Limits
  readonly signals: readonly { readonly name: string; readonly limit: number }[]
}

type Limit = NonNullable<Limits['walBytesPerSecond']>

const NONE: Tiers = { pace: null, pause: null, abort: null }
const GB = 1024 ** 3

/**
 * What holds where neither the rollout file nor the operation says otherwise; docs/rollout-file.md says why. An abort
 * is there only where waiting does not cure.
 */
const DEFAULTS: Readonly<Record<LimitName, Tiers>> = {
  lockWaiters: { ...NONE, pause: 0 },
  replicationLagBytes: { ...NONE, pause: 64 * 1024 ** 2 },
  replicationLagSeconds: { ...NONE, pause: 10 },
  slotRetainedBytes: { ...NONE, pause: 4 * GB, abort: 16 * GB },
  archiveBacklogFiles: { ...NONE, pause: 64, abort: 1024 },
  oldestSnapshotSeconds: { ...NONE, pause: 1800 },
  connectionsRatio: { ...NONE, pause: 0.9 },
  autovacuumSeconds: NONE,
  walBytesPerSecond: NONE,
  apiLatencyP95Seconds: NONE,
}

const NAMES = Object.keys(DEFAULTS) as LimitName[]
const PACED: ReadonlySet<LimitName> = new Set(['walBytesPerSecond', 'apiLatencyP95Seconds'])
/** Where a paced limit is one number, work rests more above it, and waits above this many times it. */
const PAUSE_OF_PACE = 2

/** The limits that hold: each of `own` instead of the file's, each of the file's instead of the default. */
export function limitsOf(file: LimitedFile, own: Limits = {}): ThrottleLimits {
  const named = NAMES.map((name) => {
    const ofFile = overridden(DEFAULTS[name], file.throttle[name], PACED.has(name))
    return [name, overridden(ofFile, own[name], PACED.has(name))]
  })
  const signals = file.signals.map(({ name, limit }) => {
    const ofFile = overridden({ ...NONE, pause: limit }, file.throttle.signals?.[name], false)
    return [name, overridden(ofFile, own.signals?.[name], false)]
  })
  return {
    ...(Object.fromEntries(named) as Record<LimitName, Tiers>),
    signals: Object.fromEntries(signals) as Record<string, Tiers>,
  }
}

/**
 * What holds for every other kind of operation: that nobody waits behind it and that no replica falls behind. A way
 * back must not wait for a signal that it is to cure, nor stand still above an abort limit.
 */
export function gentleLimits(file: LimitedFile): ThrottleLimits {
  const { lockWaiters, replicationLagBytes, replicationLagSeconds, ...others } = limitsOf(file)
  const off = <T extends object>(tiers: T): T => Object.fromEntries(Object.keys(tiers).map((name) => [name, NONE])) as T
  const { signals, ...rest } = others
  const kept = Object.entries({ lockWaiters, replicationLagBytes, replicationLagSeconds })
  return {
    ...off(rest),
    ...(Object.fromEntries(kept.map(([name, tiers]) => [name, { ...tiers, abort: null }])) as {
      [N in 'lockWaiters' | 'replicationLagBytes' | 'replicationLagSeconds']: Tiers
    }),
    signals: off(signals),
  }
}

/** A tier that is not named stays as it is; a number takes away an abort that would come before its pause. */
function overridden(before: Tiers, limit: Limit | undefined, paced: boolean): Tiers {
  if (limit === undefined) return before
  if (limit === 'none') return NONE
  if (typeof limit === 'number') {
    const pause = paced ? limit * PAUSE_OF_PACE : limit
    const abort = before.abort !== null && before.abort > pause ? before.abort : null
    return { pace: paced ? limit : null, pause, abort }
  }
  const tier = (name: keyof Tiers): number | null => {
    const given = limit[name]
    return given === undefined ? before[name] : given === 'none' ? null : given
  }
  return { pace: tier('pace'), pause: tier('pause'), abort: tier('abort') }
}

/** Names of the limits of `own` that would let through what the file, or its default, stops. */
export function loosened(file: LimitedFile, own: Limits): string[] {
  const [before, after] = [limitsOf(file), limitsOf(file, own)]
  return [
    ...NAMES.filter((name) => isLooser(after[name], before[name])),
    ...Object.keys(after.signals)
      .filter((name) => isLooser(after.signals[name]!, before.signals[name]!))
      .map((name) => `signals.${name}`),
  ]
}

function isLooser(after: Tiers, before: Tiers): boolean {
  return (['pace', 'pause', 'abort'] as const).some((tier) => (after[tier] ?? Infinity) > (before[tier] ?? Infinity))
}
