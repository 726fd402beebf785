import type { BaselineComparisonItem, QueryBaseline } from '../contract/index.ts'
import type { ComparisonInput } from './compareSignal.ts'
import { estimateMean, type SampleMean } from './effectiveSampleSize.ts'
import { SIGNIFICANCE_LEVEL, testRatio, type RatioTestResult } from './ratioTest.ts'

/** A query that is slower by less than this does not fail: it goes unnoticed, and machines differ by as much. */
const MIN_NOTICEABLE_SECONDS = 0.0001

export interface QueryComparison {
  /** Queries known now and in the baseline, the slowest compared with its baseline first. */
  readonly queries: readonly BaselineComparisonItem[]
  /** Queries that ran since and are not in the baseline. */
  readonly newQueryCount: number
}

/**
 * Compares each normalized query with its baseline. Among many comparisons, some fail by chance, so the probabilities
 * are corrected with the method of S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
 * of Statistics 6 (1979): noise fails any of them no more often than it fails a single one.
 */
export function compareQueries({ signals, rollout, baseline, from }: ComparisonInput): QueryComparison {
  const series = new Map<string, number[]>()
  for (const { queries } of signals.recent.statementIntervals(from)) {
    for (const [query, { calls, seconds }] of queries) {
      const known = series.get(query)
      if (known) known.push(seconds / calls)
      else series.set(query, [seconds / calls])
    }
  }
  const limit = { ratio: 1 + rollout.file.limits.queryTimeIncrease, side: 'at most' } as const
  const comparisons = baseline.content.queries.flatMap((query) => {
    const now = estimateMean(series.get(query.query) ?? [])
    const then = estimateBaselineMean(query)
    return now && then ? [{ query, now, then, judgement: testRatio(now, then, limit) }] : []
  })
  const significantIndexes = selectSignificant(comparisons.map(({ judgement }) => judgement.probability))
  const queries = comparisons.map(({ query, now, then, judgement }, index): BaselineComparisonItem => {
    const noticed = now.mean - then.mean >= MIN_NOTICEABLE_SECONDS
    const comparison = { name: query.text || query.query, baseline: then.mean, now: now.mean, limit: limit.ratio }
    return { ...comparison, ratio: judgement.ratio, ...judgeQuery(judgement, significantIndexes.has(index), noticed) }
  })
  const baselineQueries = new Set(baseline.content.queries.map(({ query }) => query))
  return {
    queries: queries.sort((a, b) => (b.ratio ?? 0) - (a.ratio ?? 0)),
    newQueryCount: [...series.keys()].filter((query) => !baselineQueries.has(query)).length,
  }
}

/** From its values over time, or from its counters if there are no values. */
function estimateBaselineMean(query: QueryBaseline): SampleMean | null {
  if (query.stepSeconds !== null) return estimateMean(query.values)
  if (query.calls < 2) return null
  const { meanSeconds: mean, standardDeviationSeconds: deviation, calls } = query
  return { mean, variance: deviation ** 2, values: calls, effective: calls }
}

function judgeQuery(
  judgement: RatioTestResult,
  failed: boolean,
  noticed: boolean,
): Pick<BaselineComparisonItem, 'verdict' | 'detail'> {
  const { verdict, detail } = judgement
  if (failed && !noticed) return { verdict: 'pass', detail: `${detail}; slower by less than 0.1 ms` }
  if (failed) return { verdict: 'fail', detail }
  if (verdict === 'fail')
    return { verdict: 'inconclusive', detail: `${detail}; among this many queries, this may be noise` }
  return { verdict, detail }
}

/** The indexes of the probabilities that are too small for chance; null: the comparison has no probability. */
export function selectSignificant(probabilities: readonly (number | null)[]): Set<number> {
  const sorted = probabilities
    .flatMap((probability, index) => (probability === null ? [] : [{ probability, index }]))
    .sort((a, b) => a.probability - b.probability)
  const end = sorted.findIndex(({ probability }, place) => probability >= SIGNIFICANCE_LEVEL / (sorted.length - place))
  return new Set((end < 0 ? sorted : sorted.slice(0, end)).map(({ index }) => index))
}
