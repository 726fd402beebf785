import { comparisonMargins } from '../comparison/requiredRequests.ts'
import { createVariantComparer, type VariantComparer } from '../comparison/variantComparison.ts'
import { isPartlyOn, type FlagStatus, type VariantComparison } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { isKnown, type Reading } from '../signals/reading.ts'
import type { RecentRequests } from '../signals/recentRequests.ts'
import { summarizeVariant } from '../signals/variantSummary.ts'
import type { ControlLimits } from './conditions/conditionInput.ts'

/** Compares requests with the flag on and off while it is on for a part of the keys. */
export interface VariantMonitor {
  /** Adds the requests since the last call. */
  update(state: VariantMonitorState): void
  /** Since the last change of the flag; null: there is no control group, and the baseline decides. */
  comparison(): VariantComparison | null
  /** The limits at 100% by the control group of the step before, which is newer than the baseline; null: there was none. */
  controlLimits(): ControlLimits | null
  /** The limits that would apply if the flag were set to 100% now; null: there is no control group. */
  limitsIfFull(state: VariantMonitorState): ControlLimits | null
}

export interface VariantMonitorState {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly flag: Pick<FlagStatus, 'enabled' | 'percentage' | 'version'>
  readonly requests: Reading<RecentRequests>
}

/** A variant without a request for this long is not seen: the baseline decides. */
const MAX_UNSEEN_MS = 60_000

/** The control group of the minute before the flag was set to 100%, if it had enough requests for a percentile. */
const CONTROL_SECONDS = 60
const MIN_CONTROL_REQUESTS = 100
/** Later, the load may be that of another time of day, which the baseline knows. */
const MAX_CONTROL_AGE_MS = 3_600_000

export function createVariantMonitor({ file }: Pick<Rollout, 'file'>): VariantMonitor {
  const margins = comparisonMargins(file)
  let current: { version: number; comparer: VariantComparer; startedAt: number; addedUntil: number } | null = null
  let seenAt = { on: 0, off: 0 }
  let comparison: VariantComparison | null = null
  let control: (ControlLimits & { readonly at: number }) | null = null

  /** The limits by the control group up to now. */
  function measureControl(now: number, requests: RecentRequests): typeof control {
    const summary = summarizeVariant(requests.variantBlocks, 'off', CONTROL_SECONDS)
    if (summary === null || summary.requestsPerSecond * CONTROL_SECONDS < MIN_CONTROL_REQUESTS) return null
    const allow = (value: number | null): number | null => value && value * (1 + file.limits.apiLatencyIncrease)
    return { at: now, latency: allow(summary.latencyP95), errorRatio: allow(summary.errorRatio) }
  }

  return {
    update({ now, flag, requests }) {
      if (!isPartlyOn(flag)) {
        if (flag.enabled && current !== null && isKnown(requests)) control = measureControl(now, requests.value)
        if (!flag.enabled || now - (control?.at ?? now) > MAX_CONTROL_AGE_MS) control = null
        current = null
        comparison = null
        return
      }
      if (current?.version !== flag.version) {
        current = {
          version: flag.version,
          comparer: createVariantComparer(margins, now),
          startedAt: now,
          addedUntil: now,
        }
        // A variant has this long to appear after a change.
        seenAt = { on: now, off: now }
        comparison = null
      }
      const { comparer, addedUntil } = current
      const isReadable = isKnown(requests) && requests.value.variants.size > 0
      const blocks = isReadable ? requests.value.variantBlocks.filter(({ from }) => from >= addedUntil) : []
      for (const block of blocks) {
        comparer.add(block)
        current.addedUntil = block.until
        if (block.on.all > 0) seenAt.on = block.until
        if (block.off.all > 0) seenAt.off = block.until
      }
      const areSeen = now - Math.min(seenAt.on, seenAt.off) <= MAX_UNSEEN_MS
      if (!areSeen) comparison = null
      else if (blocks.length > 0 || (isReadable && comparison === null)) comparison = comparer.read()
    },
    comparison: () => comparison,
    controlLimits: () => control,
    limitsIfFull: ({ now, flag, requests }) =>
      isPartlyOn(flag) && isKnown(requests) ? measureControl(now, requests.value) : control,
  }
}
