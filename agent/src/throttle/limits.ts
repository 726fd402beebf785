import { LIMIT_NAMES, LIMITS, PAUSE_TO_PACE_RATIO, type LimitName, type Limits } from '../contract/index.ts'
import { LIMIT_TABLE, NO_TIERS, type LimitTiers } from './limitTable.ts'

export interface ThrottleLimits extends Readonly<Record<LimitName, LimitTiers>> {
  /** By the name of each of the file's signals, in the file's order. */
  readonly signals: Readonly<Record<string, LimitTiers>>
}

/** The part of a rollout file that sets limits. */
export interface ThrottleConfig {
  readonly throttle: Limits
  readonly signals: readonly { readonly name: string; readonly limit: number }[]
}

type LimitSetting = NonNullable<Limits['walBytesPerSecond']>

/** The limits that apply: `overrides` before the file's, the file's before the defaults, tier by tier. */
export function resolveLimits(file: ThrottleConfig, overrides: Limits = {}): ThrottleLimits {
  return mapLimits(
    (name) => {
      const { paced } = LIMITS[name]
      const fileTiers = applyOverride(LIMIT_TABLE[name].defaults, file.throttle[name], paced)
      return applyOverride(fileTiers, overrides[name], paced)
    },
    file.signals.map(({ name, limit }) => {
      const fileTiers = applyOverride({ ...NO_TIERS, pause: limit }, file.throttle.signals?.[name], false)
      return [name, applyOverride(fileTiers, overrides.signals?.[name], false)]
    }),
  )
}

/**
 * The limits of every kind of operation except a backfill: that nobody waits behind it and that no replica falls
 * behind. A rollback must neither wait for the signal that it fixes nor stop above an abort limit.
 */
export function essentialLimits(file: ThrottleConfig): ThrottleLimits {
  const limits = resolveLimits(file)
  return mapLimits(
    (name) => (LIMIT_TABLE[name].essential ? { ...limits[name], abort: null } : NO_TIERS),
    file.signals.map(({ name }) => [name, NO_TIERS]),
  )
}

/** The names of the limits that `overrides` makes less strict than the file or its defaults. */
export function findLoosenedLimits(file: ThrottleConfig, overrides: Limits): string[] {
  const [before, after] = [resolveLimits(file), resolveLimits(file, overrides)]
  return [
    ...LIMIT_NAMES.filter((name) => isLooser(after[name], before[name])),
    ...Object.keys(after.signals)
      .filter((name) => isLooser(after.signals[name]!, before.signals[name]!))
      .map((name) => `signals.${name}`),
  ]
}

function mapLimits(
  tiersOf: (name: LimitName) => LimitTiers,
  signals: readonly (readonly [string, LimitTiers])[],
): ThrottleLimits {
  const limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, tiersOf(name)])) as Record<LimitName, LimitTiers>
  return { ...limits, signals: Object.fromEntries(signals) }
}

/** A tier that the setting omits is kept; a number removes an abort that would come before its pause. */
function applyOverride(before: LimitTiers, setting: LimitSetting | undefined, paced: boolean): LimitTiers {
  if (setting === undefined) return before
  if (setting === 'none') return NO_TIERS
  if (typeof setting === 'number') {
    const pause = paced ? setting * PAUSE_TO_PACE_RATIO : setting
    const abort = before.abort !== null && before.abort > pause ? before.abort : null
    return { pace: paced ? setting : null, pause, abort }
  }
  const tier = (name: keyof LimitTiers): number | null => {
    const value = setting[name]
    return value === undefined ? before[name] : value === 'none' ? null : value
  }
  return { pace: tier('pace'), pause: tier('pause'), abort: tier('abort') }
}

function isLooser(after: LimitTiers, before: LimitTiers): boolean {
  return (['pace', 'pause', 'abort'] as const).some((tier) => (after[tier] ?? Infinity) > (before[tier] ?? Infinity))
}
