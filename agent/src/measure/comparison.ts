import type { BaselineComparison, Compared, Verdict } from '../contract/index.ts'
import { compareSignal, type Comparing } from './compare.ts'
import { compareQueries } from './compareQueries.ts'

/** Everything that a baseline holds beside what is now. What may not be judged by it is shown, and inconclusive. */
export async function comparisonOf(comparing: Comparing): Promise<BaselineComparison> {
  const { content, ...summary } = comparing.baseline
  const signals = await Promise.all(content.signals.map(({ signal }) => compareSignal(comparing, signal)))
  const { queries, unheard } = compareQueries(comparing)
  return {
    baseline: summary,
    from: new Date(comparing.from).toISOString(),
    until: new Date().toISOString(),
    verdict: summary.unusable.length > 0 ? 'inconclusive' : overall(signals, queries),
    signals,
    queries: [...queries],
    notes: [
      ...summary.unusable.map((reason) => `Nothing follows from it: ${reason}.`),
      ...summary.warnings.map((warning) => `Of the baseline: ${warning}.`),
      ...(unheard > 0 ? [`${unheard} queries ran that the baseline does not have.`] : []),
    ],
  }
}

/** Of many queries some are always too noisy or too rare to tell: only one that is slower speaks for the whole. */
function overall(signals: readonly Compared[], queries: readonly Compared[]): Verdict {
  const verdicts = signals.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]))
  if (verdicts.includes('fail') || queries.some(({ verdict }) => verdict === 'fail')) return 'fail'
  return verdicts.length === 0 || verdicts.includes('inconclusive') ? 'inconclusive' : 'pass'
}
