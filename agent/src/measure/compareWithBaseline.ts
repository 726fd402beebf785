import type { BaselineComparison, BaselineComparisonItem, Verdict } from '../contract/index.ts'
import { compareSignal, type ComparisonInput } from './compareSignal.ts'
import { compareQueries } from './compareQueries.ts'

/** Everything that a baseline holds beside what is now. What may not be judged by it is shown, and inconclusive. */
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
      ...summary.unusable.map((reason) => `Nothing follows from it: ${reason}.`),
      ...summary.warnings.map((warning) => `Of the baseline: ${warning}.`),
      ...(newQueryCount > 0 ? [`${newQueryCount} queries ran that the baseline does not have.`] : []),
    ],
  }
}

/** Of many queries some are always too noisy or too rare to tell: only one that is slower speaks for the whole. */
function comparisonVerdict(
  signals: readonly BaselineComparisonItem[],
  queries: readonly BaselineComparisonItem[],
): Verdict {
  const verdicts = signals.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]))
  if (verdicts.includes('fail') || queries.some(({ verdict }) => verdict === 'fail')) return 'fail'
  return verdicts.length === 0 || verdicts.includes('inconclusive') ? 'inconclusive' : 'pass'
}
