import { LIMIT_SCHEMAS, type Limits } from '../contract/index.ts'

export type LimitName = keyof typeof LIMIT_SCHEMAS

/** The tiers of one limit; null: there is none. Only the limits in PACED have a pace. */
export interface LimitTiers {
  readonly pace: number | null
  readonly pause: number | null
  readonly abort: number | null
}

export interface ThrottleLimits extends Readonly<Record<LimitName, LimitTiers>> {
  /** By the name of each of the file's signals, in its order. */
  readonly signals: Readonly<Record<string, LimitTiers>>
}

/** What the limits need of a rollout file. */
export interface ThrottleConfig {
  readonly throttle: Limits
  readonly signals: readonly { readonly name: string; readonly limit: number }[]
}

type LimitSetting = NonNullable<Limits['walBytesPerSecond']>

const NO_TIERS: LimitTiers = { pace: null, pause: null, abort: null }
const GIB = 1024 ** 3

/**
 * What holds where neither the rollout file nor the operation says otherwise; docs/rollout-file.md says why. An abort
 * is there only where waiting does not cure.
 */
const DEFAULT_LIMITS: Readonly<Record<LimitName, LimitTiers>> = {
  lockWaiters: { ...NO_TIERS, pause: 0 },
  replicationLagBytes: { ...NO_TIERS, pause: 64 * 1024 ** 2 },
  replicationLagSeconds: { ...NO_TIERS, pause: 10 },
  slotRetainedBytes: { ...NO_TIERS, pause: 4 * GIB, abort: 16 * GIB },
  archiveBacklogFiles: { ...NO_TIERS, pause: 64, abort: 1024 },
  oldestSnapshotSeconds: { ...NO_TIERS, pause: 1800 },
  connectionsRatio: { ...NO_TIERS, pause: 0.9 },
  autovacuumSeconds: NO_TIERS,
  walBytesPerSecond: NO_TIERS,
  apiLatencyP95Seconds: NO_TIERS,
}

const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as LimitName[]
const PACED_LIMITS: ReadonlySet<LimitName> = new Set(['walBytesPerSecond', 'apiLatencyP95Seconds'])
/** Where a paced limit is one number, work rests more above it, and waits above this many times it. */
const PAUSE_TO_PACE_RATIO = 2

/** The limits that hold: each of `own` instead of the file's, each of the file's instead of the default. */
export function resolveLimits(file: ThrottleConfig, overrides: Limits = {}): ThrottleLimits {
  const entries = LIMIT_NAMES.map((name) => {
    const ofFile = applyOverride(DEFAULT_LIMITS[name], file.throttle[name], PACED_LIMITS.has(name))
    return [name, applyOverride(ofFile, overrides[name], PACED_LIMITS.has(name))]
  })
  const signals = file.signals.map(({ name, limit }) => {
    const ofFile = applyOverride({ ...NO_TIERS, pause: limit }, file.throttle.signals?.[name], false)
    return [name, applyOverride(ofFile, overrides.signals?.[name], false)]
  })
  return {
    ...(Object.fromEntries(entries) as Record<LimitName, LimitTiers>),
    signals: Object.fromEntries(signals) as Record<string, LimitTiers>,
  }
}

/**
 * What holds for every other kind of operation: that nobody waits behind it and that no replica falls behind. A way
 * back must not wait for a signal that it is to cure, nor stand still above an abort limit.
 */
export function essentialLimits(file: ThrottleConfig): ThrottleLimits {
  const { lockWaiters, replicationLagBytes, replicationLagSeconds, ...others } = resolveLimits(file)
  const withoutTiers = <T extends object>(tiers: T): T =>
    Object.fromEntries(Object.keys(tiers).map((name) => [name, NO_TIERS])) as T
  const { signals, ...rest } = others
  const retained = Object.entries({ lockWaiters, replicationLagBytes, replicationLagSeconds })
  return {
    ...withoutTiers(rest),
    ...(Object.fromEntries(retained.map(([name, tiers]) => [name, { ...tiers, abort: null }])) as {
      [N in 'lockWaiters' | 'replicationLagBytes' | 'replicationLagSeconds']: LimitTiers
    }),
    signals: withoutTiers(signals),
  }
}

/** A tier that is not named stays as it is; a number takes away an abort that would come before its pause. */
function applyOverride(before: LimitTiers, limit: LimitSetting | undefined, paced: boolean): LimitTiers {
  if (limit === undefined) return before
  if (limit === 'none') return NO_TIERS
  if (typeof limit === 'number') {
    const pause = paced ? limit * PAUSE_TO_PACE_RATIO : limit
    const abort = before.abort !== null && before.abort > pause ? before.abort : null
    return { pace: paced ? limit : null, pause, abort }
  }
  const tier = (name: keyof LimitTiers): number | null => {
    const given = limit[name]
    return given === undefined ? before[name] : given === 'none' ? null : given
  }
  return { pace: tier('pace'), pause: tier('pause'), abort: tier('abort') }
}

/** Names of the limits of `own` that would let through what the file, or its default, stops. */
export function findLoosenedLimits(file: ThrottleConfig, overrides: Limits): string[] {
  const [before, after] = [resolveLimits(file), resolveLimits(file, overrides)]
  return [
    ...LIMIT_NAMES.filter((name) => isLooser(after[name], before[name])),
    ...Object.keys(after.signals)
      .filter((name) => isLooser(after.signals[name]!, before.signals[name]!))
      .map((name) => `signals.${name}`),
  ]
}

function isLooser(after: LimitTiers, before: LimitTiers): boolean {
  return (['pace', 'pause', 'abort'] as const).some((tier) => (after[tier] ?? Infinity) > (before[tier] ?? Infinity))
}
