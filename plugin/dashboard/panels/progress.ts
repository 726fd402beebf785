import { THROTTLE_REASONS } from '../../../agent/src/contract/limits.ts'
import { PAUSED_BY } from '../../../agent/src/metrics/metricsSource.ts'
import { colorOverride, decimals, valueMappings, thresholdsOverride, textMappings, unit } from '../fieldOverrides.ts'
import { roundDownRatio, rolloutSeries, NO_AGENT_SCRAPED } from '../promql.ts'
import { statPanel } from '../statPanel.ts'
import { instantQuery, rangeQuery } from '../targets.ts'

/** Each reason to wait is a negative number, so that a value mapping can show its text. */
const throttleCodes = THROTTLE_REASONS.map((reason, index) => ({ reason, code: -1 - index }))
const pauseCodes = PAUSED_BY.map((by, index) => ({ by, code: -100 - index }))
const PAUSE_LABELS = {
  person: 'paused: by a person',
  agent: 'paused: after errors',
  rollback: 'paused: by a rollback',
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
/** 0 while no backfill is running: a range query ends with the latest sample, and the agent exports no rate then. */
const rowsPerMinute = `(60 * max(${rolloutSeries('sti_backfill_rows_per_second')}) and on() ${backfillRunning}) or on() (0 * max(${rolloutSeries('sti_backfill_total_rows')}))`

const panel = statPanel(
  'Progress of the backfill. While the backfill waits, the reason replaces the time left.',
  'No backfill has run yet. Expand the table, then start a backfill on the page of the rollout.',
)
  .withTarget(
    instantQuery('Complete', 'complete', roundDownRatio(`max(${rolloutSeries('sti_backfill_progress_ratio')})`)),
  )
  .withTarget(instantQuery('Processed', 'processed', `max(${rolloutSeries('sti_backfill_processed_rows')})`))
  .withTarget(instantQuery('Total', 'total', `max(${rolloutSeries('sti_backfill_total_rows')})`))
  // A range query ends with its latest sample, so without an agent the value would look current; it shows “stale” instead.
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
          throttleCodes.map(({ reason, code }) => [code, [`waiting: ${reason.replaceAll('-', ' ')}`, 'orange']]),
        ),
      }),
    ),
  ])

export const progressPanel = { width: 8, panel }
