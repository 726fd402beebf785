import { peakSince, type UsageSignal } from '../../measure/peaks.ts'
import type { Check, CheckContext, Finding } from '../check.ts'

/** With less of the time read than this, the peak that was seen need not be the peak. */
const COVERED = 0.5

/** A check that the peak of a resource since the rollout began stays below the file's limit. */
export function usage(name: string, signal: UsageSignal, what: string): Check {
  return { name, layer: 'system', run: (context) => judge(context, signal, what) }
}

async function judge(context: CheckContext, signal: UsageSignal, what: string): Promise<Finding> {
  const { run, rollout, parts } = context
  const limit = rollout.file.limits.resourceUsage
  const since = await beginning(context)
  const peak = await peakSince(run.database.state, parts.signals.recent, { rollout: rollout.name, signal, since })
  if (peak.value === null) {
    const now = parts.signals.numbers(rollout.name).find(([one]) => one === signal)?.[1]
    const why = now && 'unknown' in now ? now.unknown : 'it was not read yet'
    return { verdict: 'inconclusive', value: null, limit, detail: `${what} is not known: ${why}` }
  }
  const read = `read for ${Math.floor(100 * peak.covered)} % of the time since ${new Date(since).toISOString()}`
  const detail = `${what} was used to ${(100 * peak.value).toFixed(1)} % at ${peak.at!.toISOString()}; ${read}`
  if (peak.value > limit) return { verdict: 'fail', value: peak.value, limit, detail }
  if (peak.covered >= COVERED) return { verdict: 'pass', value: peak.value, limit, detail }
  return { verdict: 'inconclusive', value: peak.value, limit, detail: `${detail}: too little to call it the peak` }
}

/** When the rollout's last expand began; without one, the first operation that is known. */
async function beginning({ run, rollout }: CheckContext): Promise<number> {
  const [row] = await run.database.state<{ at: Date | null }[]>`
    select coalesce(max(started_at) filter (where kind = 'expand' and state = 'succeeded'), min(created_at)) as at
    from sti.operation where rollout = ${rollout.name}`
  return row?.at?.getTime() ?? Date.now()
}
