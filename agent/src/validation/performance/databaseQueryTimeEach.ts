import { compareQueries } from '../../measure/compareQueries.ts'
import type { ValidationCheck } from '../check.ts'
import { prepareComparison, inconclusiveFinding, PERFORMANCE_CHECK_TIMEOUT_SECONDS } from './prepareComparison.ts'

/** No normalised query has become slower beyond its limit. */
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
      ...(conclusive.length < queries.length ? [`${queries.length - conclusive.length} ran too seldom to tell`] : []),
      ...(newQueryCount > 0 ? [`${newQueryCount} are not in the baseline`] : []),
      comparison.note,
    ].join('; ')
    if (conclusive.length === 0) {
      const why =
        queries.length + newQueryCount === 0
          ? 'no query was seen: does pg_stat_statements run?'
          : 'no query could be compared'
      return inconclusiveFinding(`${why}; ${notes}`)
    }
    const slowQueries = conclusive.filter(({ verdict }) => verdict === 'fail')
    const examples = (slowQueries.length > 0 ? slowQueries.slice(0, 3) : conclusive.slice(0, 1)).map(
      ({ name, detail }) => `“${name.replace(/\s+/g, ' ').slice(0, 120)}” ${detail}`,
    )
    const headline =
      slowQueries.length > 0
        ? `${slowQueries.length} of ${conclusive.length} queries are slower`
        : `${conclusive.length} queries compared, the slowest`
    return {
      verdict: slowQueries.length > 0 ? 'fail' : 'pass',
      value: (slowQueries[0] ?? conclusive[0])!.ratio,
      limit: conclusive[0]!.limit,
      detail: `${headline}: ${examples.join(', ')}; ${notes}`,
    }
  },
}
