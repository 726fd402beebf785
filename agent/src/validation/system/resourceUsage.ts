import { readPeakSince, type UsageSignal } from '../../measure/usagePeaks.ts'
import type { ValidationCheck, CheckContext, CheckFinding } from '../check.ts'

/** With less of the time read than this, the peak that was seen need not be the peak. */
const MIN_COVERED_RATIO = 0.5

/** A check that the peak of a resource since the rollout began stays below the file's limit. */
export function resourceUsageCheck(name: string, signal: UsageSignal, resource: string): ValidationCheck {
  return { name, layer: 'system', unit: 'ratio', run: (context) => judgeUsage(context, signal, resource) }
}

async function judgeUsage(context: CheckContext, signal: UsageSignal, resource: string): Promise<CheckFinding> {
  const { run, rollout, parts } = context
  const limit = rollout.file.limits.resourceUsage
  const since = await readRolloutStart(context)
  const peak = await readPeakSince(run.database.state, parts.signals.recent, { rollout: rollout.name, signal, since })
  if (peak.value === null) {
    const now = parts.signals.values(rollout.name).find(([one]) => one === signal)?.[1]
    const why = now && 'unknown' in now ? now.unknown : 'it was not read yet'
    return { verdict: 'inconclusive', value: null, limit, detail: `${resource} is not known: ${why}` }
  }
  const coverageNote = `read for ${Math.floor(100 * peak.coveredRatio)} % of the time since ${new Date(since).toISOString()}`
  const detail = `${resource} was used to ${(100 * peak.value).toFixed(1)} % at ${peak.at!.toISOString()}; ${coverageNote}`
  if (peak.value > limit) return { verdict: 'fail', value: peak.value, limit, detail }
  if (peak.coveredRatio >= MIN_COVERED_RATIO) return { verdict: 'pass', value: peak.value, limit, detail }
  return { verdict: 'inconclusive', value: peak.value, limit, detail: `${detail}: too little to call it the peak` }
}

/** When the rollout's last expand began; without one, the first operation that is known. */
async function readRolloutStart({ run, rollout }: CheckContext): Promise<number> {
  const [row] = await run.database.state<{ at: Date | null }[]>`
    select coalesce(max(started_at) filter (where kind = 'expand' and state = 'succeeded'), min(created_at)) as at
    from sti.operation where rollout = ${rollout.name}`
  return row?.at?.getTime() ?? Date.now()
}
