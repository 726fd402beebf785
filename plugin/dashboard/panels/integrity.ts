import { colorOverride, decimals, thresholdsOverride, unit } from '../fieldOverrides.ts'
import { roundDownRatio, rolloutSeries } from '../promql.ts'
import { statPanel } from '../statPanel.ts'
import { instantQuery } from '../targets.ts'

const checksByVerdict = (verdict: string) =>
  `count(max by (check) (${rolloutSeries('sti_check_verdict', `verdict=~"${verdict}"`)}) == 1) or on() (0 * max(${rolloutSeries('sti_check_verdict')}))`
const validationAge = `time() - max(${rolloutSeries('sti_validation_completed_timestamp_seconds')})`
const validationInterval = `max(${rolloutSeries('sti_validation_interval_seconds')})`

const panel = statPanel(
  'The latest validation: checks by verdict, discrepancies, integrity score, and its age.',
  'No validation has run yet. Start one on the page of the rollout.',
)
  .withTarget(instantQuery('Failed', 'failed', checksByVerdict('fail|error')))
  .withTarget(instantQuery('Inconclusive', 'inconclusive', checksByVerdict('inconclusive')))
  .withTarget(instantQuery('Passed', 'passed', checksByVerdict('pass')))
  .withTarget(
    instantQuery('Discrepancies', 'discrepancies', `sum(max by (check) (${rolloutSeries('sti_check_discrepancies')}))`),
  )
  .withTarget(instantQuery('Score', 'score', roundDownRatio(`max(${rolloutSeries('sti_integrity_score_ratio')})`)))
  .withTarget(instantQuery('Ago', 'last run', `(${validationAge}) unless (${validationAge}) > ${validationInterval}`))
  .withTarget(instantQuery('Overdue', 'last run: overdue', `(${validationAge}) > ${validationInterval}`))
  .withTarget(
    instantQuery(
      'Runs',
      'runs in 24 h',
      `round(sum(max by (verdict) (increase(${rolloutSeries('sti_validations_total')}[24h])))) and on() (${validationAge})`,
    ),
  )
  .withTarget(instantQuery('Interval', 'every', `${validationInterval} and on() (${validationAge})`))
  .unit('locale')
  .decimals(0)
  .overrideByQuery('Failed', [thresholdsOverride([null, 'green'], [1, 'red'])])
  .overrideByQuery('Inconclusive', [thresholdsOverride([null, 'text'], [1, 'orange'])])
  .overrideByQuery('Discrepancies', [thresholdsOverride([null, 'green'], [1, 'red'])])
  .overrideByQuery('Score', [unit('percentunit'), decimals(1), thresholdsOverride([null, 'red'], [1, 'green'])])
  .overrideByQuery('Ago', [unit('s'), decimals(0)])
  .overrideByQuery('Interval', [unit('s'), decimals(0)])
  .overrideByQuery('Overdue', [unit('s'), decimals(0), colorOverride('orange')])

export const integrityPanel = { width: 8, panel }
