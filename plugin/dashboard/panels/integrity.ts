import { colorOverride, decimals, thresholdsOverride, unit } from '../fieldOverrides.ts'
import type { PanelScope } from '../panelScope.ts'
import { roundDownRatio } from '../promql.ts'
import { statPanel } from '../statPanel.ts'
import { instantQuery } from '../targets.ts'

const DESCRIPTION = 'The latest validation: checks by verdict, discrepancies, integrity score, and its age.'
const FLEET_DESCRIPTION =
  'The latest validation of each member: checks by verdict and discrepancies of all members, the lowest integrity score, the age of the oldest of these validations, members whose validation is overdue or that have none, and the members with the most failed checks.'

export function integrityPanel(scope: PanelScope) {
  const { fleet, rollout: series, each, lowest } = scope
  const verdicts = (verdict: string) => each(series('sti_check_verdict', `verdict=~"${verdict}"`), 'check')
  const checksByVerdict = (verdict: string) =>
    `count(${verdicts(verdict)} == 1) or on() (0 * max(${series('sti_check_verdict')}))`
  const completed = series('sti_validation_completed_timestamp_seconds')
  const interval = each(series('sti_validation_interval_seconds'))
  const age = `time() - ${lowest(completed)}`
  const panel = statPanel(
    scope,
    fleet === null ? DESCRIPTION : FLEET_DESCRIPTION,
    'No validation has run yet. Start one on the page of the rollout.',
  )
    .withTarget(instantQuery('Failed', 'failed', checksByVerdict('fail|error')))
    .withTarget(instantQuery('Inconclusive', 'inconclusive', checksByVerdict('inconclusive')))
    .withTarget(instantQuery('Passed', 'passed', checksByVerdict('pass')))
    .withTarget(
      instantQuery('Discrepancies', 'discrepancies', `sum(${each(series('sti_check_discrepancies'), 'check')})`),
    )
    .withTarget(instantQuery('Score', 'score', roundDownRatio(lowest(series('sti_integrity_score_ratio')))))
    .unit('locale')
    .decimals(0)
    .overrideByQuery('Failed', [thresholdsOverride([null, 'green'], [1, 'red'])])
    .overrideByQuery('Inconclusive', [thresholdsOverride([null, 'text'], [1, 'orange'])])
    .overrideByQuery('Discrepancies', [thresholdsOverride([null, 'green'], [1, 'red'])])
    .overrideByQuery('Score', [unit('percentunit'), decimals(1), thresholdsOverride([null, 'red'], [1, 'green'])])
    .overrideByQuery('Ago', [unit('s'), decimals(0)])
  if (fleet !== null)
    return panel
      .withTarget(instantQuery('Ago', 'oldest run', age))
      .withTarget(instantQuery('Overdue', 'members overdue', `count(time() - ${each(completed)} > ${interval})`))
      .withTarget(instantQuery('Missing', 'members without one', `count(${fleet.reporting} unless ${each(completed)})`))
      .withTarget(
        instantQuery(
          'Worst',
          'failed in {{name}}',
          fleet.worstValues(`count by (name) (${verdicts('fail|error')} == 1)`),
        ),
      )
      .overrideByQuery('Overdue', [colorOverride('orange')])
      .overrideByQuery('Missing', [colorOverride('orange')])
      .overrideByQuery('Worst', [colorOverride('red')])
  return panel
    .withTarget(instantQuery('Ago', 'last run', `(${age}) unless (${age}) > ${interval}`))
    .withTarget(instantQuery('Overdue', 'last run: overdue', `(${age}) > ${interval}`))
    .withTarget(
      instantQuery(
        'Runs',
        'runs in 24 h',
        `round(sum(${each(`increase(${series('sti_validations_total')}[24h])`, 'verdict')})) and on() (${age})`,
      ),
    )
    .withTarget(instantQuery('Interval', 'every', `${interval} and on() (${age})`))
    .overrideByQuery('Interval', [unit('s'), decimals(0)])
    .overrideByQuery('Overdue', [unit('s'), decimals(0), colorOverride('orange')])
}
