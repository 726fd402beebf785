import { formatQuantity } from '../../format/format.ts'
import { compareQueries } from '../../measure/compareQueries.ts'
import type { ValidationCheck } from '../check.ts'
import { prepareComparison, inconclusiveFinding, PERFORMANCE_CHECK_TIMEOUT_SECONDS } from './prepareComparison.ts'

/** No normalized query is slower than its limit allows. */
export const databaseQueryTimeEach: ValidationCheck = {
  name: 'database-query-time-each',
  layer: 'performance',
  unit: 'multiple',
  seconds: PERFORMANCE_CHECK_TIMEOUT_SECONDS,
  async run(context) {
    const comparison = await prepareComparison(context)
    if ('verdict' in comparison) return comparison
    const { queries, newQueryCount } = compareQueries(comparison.input)
    const conclusive = queries.filter(({ ratio }) => ratio !== null)
    const notes = [
      ...(conclusive.length < queries.length
        ? [`${formatQuantity(queries.length - conclusive.length, 'query', 'queries')} ran too rarely to compare`]
        : []),
      ...(newQueryCount > 0 ? [`${formatQuantity(newQueryCount, 'query', 'queries')} not in the baseline`] : []),
      comparison.note,
    ].join('; ')
    if (conclusive.length === 0) {
      const reason =
        queries.length + newQueryCount === 0
          ? 'no queries were recorded: check that pg_stat_statements is loaded'
          : 'no query could be compared with the baseline'
      return inconclusiveFinding(`${reason}; ${notes}`)
    }
    const slowQueries = conclusive.filter(({ verdict }) => verdict === 'fail')
    const examples = (slowQueries.length > 0 ? slowQueries.slice(0, 3) : conclusive.slice(0, 1)).map(
      ({ name, detail }) => `“${name.replace(/\s+/g, ' ').slice(0, 120)}” ${detail}`,
    )
    const headline =
      slowQueries.length > 0
        ? `${slowQueries.length} of ${formatQuantity(conclusive.length, 'query', 'queries')} slower than the baseline allows`
        : `${formatQuantity(conclusive.length, 'query', 'queries')} compared, slowest`
    return {
      verdict: slowQueries.length > 0 ? 'fail' : 'pass',
      value: (slowQueries[0] ?? conclusive[0])!.ratio,
      limit: conclusive[0]!.limit,
      detail: `${headline}: ${examples.join(', ')}; ${notes}`,
    }
  },
}
