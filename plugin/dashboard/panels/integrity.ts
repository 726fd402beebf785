import { VizTextDisplayOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import { colored, decimals, stepped, unit } from '../look.ts'
import { down, ofRollout } from '../series.ts'
import { statPanel } from '../statPanel.ts'
import { now } from '../targets.ts'

const checks = (verdict: string) =>
  `count(max by (check) (${ofRollout('sti_check_verdict', `verdict=~"${verdict}"`)}) == 1) or on() (0 * max(${ofRollout('sti_check_verdict')}))`
const age = `time() - max(${ofRollout('sti_validation_completed_timestamp_seconds')})`
const interval = `max(${ofRollout('sti_validation_interval_seconds')})`

export const integrity = statPanel(
  'Data Integrity Validator',
  'The last validation: its checks by verdict, rows that speak against them, the score, and how long ago it ran.',
  'No validation has run yet. Start one in the bar above.',
)
  // Eight values with their names stand three in a row.
  .text(new VizTextDisplayOptionsBuilder().titleSize(11).valueSize(16))
  .withTarget(now('Failed', 'failed', checks('fail|error')))
  .withTarget(now('Inconclusive', 'inconclusive', checks('inconclusive')))
  .withTarget(now('Passed', 'passed', checks('pass')))
  .withTarget(now('Discrepancies', 'discrepancies', `sum(max by (check) (${ofRollout('sti_check_discrepancies')}))`))
  .withTarget(now('Score', 'score', down(`max(${ofRollout('sti_integrity_score_ratio')})`)))
  .withTarget(now('Ago', 'ran ago', `(${age}) unless (${age}) > ${interval}`))
  .withTarget(now('Overdue', 'ran ago: late', `(${age}) > ${interval}`))
  .withTarget(
    now(
      'Runs',
      'runs in 24 h',
      `round(sum(max by (verdict) (increase(${ofRollout('sti_validations_total')}[24h])))) and on() (${age})`,
    ),
  )
  .withTarget(now('Interval', 'every', `${interval} and on() (${age})`))
  .unit('locale')
  .decimals(0)
  .overrideByQuery('Failed', [stepped([null, 'green'], [1, 'red'])])
  .overrideByQuery('Inconclusive', [stepped([null, 'text'], [1, 'orange'])])
  .overrideByQuery('Discrepancies', [stepped([null, 'green'], [1, 'red'])])
  .overrideByQuery('Score', [unit('percentunit'), decimals(1), stepped([null, 'red'], [1, 'green'])])
  .overrideByQuery('Ago', [unit('s'), decimals(0)])
  .overrideByQuery('Interval', [unit('s'), decimals(0)])
  .overrideByQuery('Overdue', [unit('s'), decimals(0), colored('orange')])
