import type { BaselineComparison, BaselineComparisonItem, Verdict } from '../contract/index.ts'
import { formatQuantity } from '../format/format.ts'
import { compareSignal, type ComparisonInput } from './compareSignal.ts'
import { compareQueries } from './compareQueries.ts'

/** Compares every signal and query of a baseline with now. An unusable baseline is inconclusive. */
export async function compareWithBaseline(input: ComparisonInput): Promise<BaselineComparison> {
  const { content, ...summary } = input.baseline
  const signals = await Promise.all(content.signals.map(({ signal }) => compareSignal(input, signal)))
  const { queries, newQueryCount } = compareQueries(input)
  return {
    baseline: summary,
    from: new Date(input.from).toISOString(),
    until: new Date().toISOString(),
    verdict: summary.unusable.length > 0 ? 'inconclusive' : comparisonVerdict(signals, queries),
    signals,
    queries: [...queries],
    notes: [
      ...summary.unusable.map((reason) => `The baseline cannot be used: ${reason}.`),
      ...summary.warnings.map((warning) => `Baseline: ${warning}.`),
      ...(newQueryCount > 0
        ? [`${formatQuantity(newQueryCount, 'query', 'queries')} ran that the baseline does not have.`]
        : []),
    ],
  }
}

/** Some of many queries are always too noisy or too rare, so a query only decides the verdict if it fails. */
function comparisonVerdict(
  signals: readonly BaselineComparisonItem[],
  queries: readonly BaselineComparisonItem[],
): Verdict {
  const verdicts = signals.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]))
  if (verdicts.includes('fail') || queries.some(({ verdict }) => verdict === 'fail')) return 'fail'
  return verdicts.length === 0 || verdicts.includes('inconclusive') ? 'inconclusive' : 'pass'
}
