import { formatPercent } from '../../format/format.ts'
import { readPeakSince, type UsageSignal } from '../../measure/usagePeaks.ts'
import type { ValidationCheck, CheckContext, CheckFinding } from '../check.ts'

/** If less than this share of the time was monitored, the actual peak may be higher than the recorded one. */
const MIN_COVERED_RATIO = 0.5

/** A check that the peak usage of a resource since the rollout started stays within the limit of the rollout file. */
export function resourceUsageCheck(name: string, signal: UsageSignal, resource: string): ValidationCheck {
  return { name, layer: 'system', unit: 'ratio', run: (context) => judgeUsage(context, signal, resource) }
}

async function judgeUsage(context: CheckContext, signal: UsageSignal, resource: string): Promise<CheckFinding> {
  const { run, rollout, parts } = context
  const limit = rollout.file.limits.resourceUsage
  const since = await readRolloutStart(context)
  const peak = await readPeakSince(run.database.state, parts.signals.recent, { rollout: rollout.name, signal, since })
  if (peak.value === null) {
    const now = parts.signals.values(rollout.name).find(([name]) => name === signal)?.[1]
    const reason = now && 'unknown' in now ? now.unknown : 'no reading yet'
    return { verdict: 'inconclusive', value: null, limit, detail: `${resource} is unknown: ${reason}` }
  }
  const coverageNote = `monitored for ${formatPercent(peak.coveredRatio)} of the time since ${new Date(since).toISOString()}`
  const detail = `${resource} peaked at ${formatPercent(peak.value)} (limit ${formatPercent(limit)}) at ${peak.at!.toISOString()}; ${coverageNote}`
  if (peak.value > limit) return { verdict: 'fail', value: peak.value, limit, detail }
  if (peak.coveredRatio >= MIN_COVERED_RATIO) return { verdict: 'pass', value: peak.value, limit, detail }
  return {
    verdict: 'inconclusive',
    value: peak.value,
    limit,
    detail: `${detail}, which is too little to know the peak`,
  }
}

/** When the last expand of the rollout started; without one, when its first operation was requested. Unix time in milliseconds. */
async function readRolloutStart({ run, rollout }: CheckContext): Promise<number> {
  const [row] = await run.database.state<{ at: Date | null }[]>`
    select coalesce(max(started_at) filter (where kind = 'expand' and state = 'succeeded'), min(created_at)) as at
    from sti.operation where rollout = ${rollout.name}`
  return row?.at?.getTime() ?? Date.now()
}
