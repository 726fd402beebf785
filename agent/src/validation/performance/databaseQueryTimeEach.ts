import { compareQueries } from '../../measure/compareQueries.ts'
import type { Check } from '../check.ts'
import { comparable, inconclusive, PERFORMANCE_SECONDS } from './baseline.ts'

/** No normalised query has become slower beyond its limit. */
export const databaseQueryTimeEach: Check = {
  name: 'database-query-time-each',
  layer: 'performance',
  seconds: PERFORMANCE_SECONDS,
  async run(context) {
    const ready = await comparable(context)
    if ('verdict' in ready) return ready
    const { queries, unheard } = compareQueries(ready.comparing)
    const told = queries.filter(({ ratio }) => ratio !== null)
    const others = [
      ...(told.length < queries.length ? [`${queries.length - told.length} ran too seldom to tell`] : []),
      ...(unheard > 0 ? [`${unheard} are not in the baseline`] : []),
      ready.said,
    ].join('; ')
    if (told.length === 0) {
      const why =
        queries.length + unheard === 0
          ? 'no query was seen: does pg_stat_statements run?'
          : 'no query could be compared'
      return inconclusive(`${why}; ${others}`)
    }
    const slow = told.filter(({ verdict }) => verdict === 'fail')
    const shown = (slow.length > 0 ? slow.slice(0, 3) : told.slice(0, 1)).map(
      ({ name, detail }) => `“${name.replace(/\s+/g, ' ').slice(0, 120)}” ${detail}`,
    )
    const head =
      slow.length > 0
        ? `${slow.length} of ${told.length} queries are slower`
        : `${told.length} queries compared, the slowest`
    return {
      verdict: slow.length > 0 ? 'fail' : 'pass',
      value: (slow[0] ?? told[0])!.ratio,
      limit: told[0]!.limit,
      detail: `${head}: ${shown.join(', ')}; ${others}`,
    }
  },
}
