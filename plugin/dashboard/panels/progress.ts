import { BigValueGraphMode, VizTextDisplayOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import { THROTTLE_REASONS } from '../../../agent/src/contract/limits.ts'
import { PAUSED_BY } from '../../../agent/src/metrics/metricsSource.ts'
import { colorOverride, decimals, valueMappings, thresholdsOverride, textMappings, unit } from '../fieldOverrides.ts'
import { roundDownRatio, rolloutSeries, NO_AGENT_SCRAPED } from '../promql.ts'
import { statPanel } from '../statPanel.ts'
import { instantQuery, rangeQuery } from '../targets.ts'

/** A reason to wait is a negative number of its own, so that a mapping can put it into words. */
const throttleCodes = THROTTLE_REASONS.map((reason, index) => ({ reason, code: -1 - index }))
const pauseCodes = PAUSED_BY.map((by, index) => ({ by, code: -100 - index }))
const PAUSE_LABELS = {
  person: 'paused: by a person',
  agent: 'paused: after trouble',
  rollback: 'paused: rolled back',
} as const

const throttledExpressions = throttleCodes.map(
  ({ reason, code }) => `${code} * (max(${rolloutSeries('sti_backfill_throttled', `reason="${reason}"`)}) == 1)`,
)
const pausedExpressions = pauseCodes.map(
  ({ by, code }) => `${code} * (max(${rolloutSeries('sti_backfill_paused', `by="${by}"`)}) == 1)`,
)
const backfillRunning = `max(${rolloutSeries('sti_operation_state', 'kind="backfill",state="running"')}) > 0`
const timeLeft = [
  ...pausedExpressions,
  ...throttledExpressions,
  `(max(${rolloutSeries('sti_backfill_remaining_seconds')}) and on() ${backfillRunning})`,
].join(' or ')
/** 0 once it does not run: a range ends with its last sample, and the agent tells no rate then. */
const rowsPerMinute = `(60 * max(${rolloutSeries('sti_backfill_rows_per_second')}) and on() ${backfillRunning}) or on() (0 * max(${rolloutSeries('sti_backfill_total_rows')}))`

export const progressPanel = statPanel(
  'STI Progress Tracker',
  'How far the backfill is. Rows per minute as a line; instead of the time left, why it waits.',
  'No backfill has run yet. Start one in the bar above, after “Expand”.',
)
  .graphMode(BigValueGraphMode.Area)
  // Eight digits fit into a third of the panel.
  .text(new VizTextDisplayOptionsBuilder().titleSize(12).valueSize(15))
  .withTarget(
    instantQuery('Complete', 'complete', roundDownRatio(`max(${rolloutSeries('sti_backfill_progress_ratio')})`)),
  )
  .withTarget(instantQuery('Processed', 'processed', `max(${rolloutSeries('sti_backfill_processed_rows')})`))
  .withTarget(instantQuery('Total', 'total', `max(${rolloutSeries('sti_backfill_total_rows')})`))
  // A range ends with its last sample: without an agent the line would end green. So it ends with “stale”.
  .withTarget(rangeQuery('Rate', 'rows/min', `${rowsPerMinute} or on() (0 / 0 * (1 + (${NO_AGENT_SCRAPED})))`))
  .withTarget(instantQuery('Left', 'time left', timeLeft))
  .overrideByQuery('Complete', [unit('percentunit'), decimals(1), thresholdsOverride([null, 'blue'], [1, 'green'])])
  .overrideByQuery('Processed', [unit('locale'), decimals(0)])
  .overrideByQuery('Total', [unit('locale'), decimals(0)])
  .overrideByQuery('Rate', [
    unit('locale'),
    decimals(0),
    colorOverride('blue'),
    valueMappings([
      { type: 'special', options: { match: 'nan', result: { text: 'stale', color: 'red', index: 0 } } } as never,
    ]),
  ])
  .overrideByQuery('Left', [
    unit('dthms'),
    valueMappings(
      textMappings({
        ...Object.fromEntries(pauseCodes.map(({ by, code }) => [code, [PAUSE_LABELS[by], 'orange']])),
        ...Object.fromEntries(
          throttleCodes.map(({ reason, code }) => [code, [`paused: ${reason.replaceAll('-', ' ')}`, 'orange']]),
        ),
      }),
    ),
  ])
