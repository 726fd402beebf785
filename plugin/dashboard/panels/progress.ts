import { THROTTLE_REASONS } from '../../../agent/src/contract/limits.ts'
import { PAUSED_BY } from '../../../agent/src/metrics/metricsSource.ts'
import { colorOverride, decimals, valueMappings, thresholdsOverride, textMappings, unit } from '../fieldOverrides.ts'
import type { FleetScope, PanelScope } from '../panelScope.ts'
import { roundDownRatio } from '../promql.ts'
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

const NO_VALUE = 'No backfill has run yet. Expand the table, then start a backfill on the page of the rollout.'

const runningBackfills = ({ rollout, each }: PanelScope) =>
  `${each(rollout('sti_operation_state', 'kind="backfill",state="running"'))} > 0`

export function progressPanel(scope: PanelScope) {
  if (scope.fleet !== null) return fleetProgressPanel(scope, scope.fleet)
  const { rollout: series, each } = scope
  const backfillRunning = runningBackfills(scope)
  const throttledExpressions = throttleCodes.map(
    ({ reason, code }) => `${code} * (${each(series('sti_backfill_throttled', `reason="${reason}"`))} == 1)`,
  )
  const pausedExpressions = pauseCodes.map(
    ({ by, code }) => `${code} * (${each(series('sti_backfill_paused', `by="${by}"`))} == 1)`,
  )
  const timeLeft = [
    ...pausedExpressions,
    ...throttledExpressions,
    `(${each(series('sti_backfill_remaining_seconds'))} and on() ${backfillRunning})`,
  ].join(' or ')
  /** 0 while no backfill is running: a range query ends with the latest sample, and the agent exports no rate then. */
  const rowsPerMinute = `(60 * ${each(series('sti_backfill_rows_per_second'))} and on() ${backfillRunning}) or on() (0 * ${each(series('sti_backfill_total_rows'))})`
  return (
    statPanel(scope, 'Progress of the backfill. While the backfill waits, the reason replaces the time left.', NO_VALUE)
      .withTarget(instantQuery('Complete', 'complete', roundDownRatio(each(series('sti_backfill_progress_ratio')))))
      .withTarget(instantQuery('Processed', 'processed', each(series('sti_backfill_processed_rows'))))
      .withTarget(instantQuery('Total', 'total', each(series('sti_backfill_total_rows'))))
      // A range query ends with its latest sample, so without an agent the value would look current; it shows “stale” instead.
      .withTarget(rangeQuery('Rate', 'rows/min', `${rowsPerMinute} or on() (0 / 0 * (1 + (${scope.noAgentScraped})))`))
      .withTarget(instantQuery('Left', 'time left', timeLeft))
      .overrideByQuery('Complete', completeOverride)
      .overrideByQuery('Processed', rowsOverride)
      .overrideByQuery('Total', rowsOverride)
      .overrideByQuery('Rate', [
        ...rowsOverride,
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
  )
}

function fleetProgressPanel(scope: PanelScope, { members, reporting, worstValues }: FleetScope) {
  const { rollout: series, each, sum } = scope
  const ratio = each(series('sti_backfill_progress_ratio'))
  const total = each(series('sti_backfill_total_rows'))
  const running = runningBackfills(scope)
  // A ratio of a member is 1 only if it is complete, unlike a sum of rows, some of which were written twice.
  const complete = roundDownRatio(`(sum(${ratio} * ${total}) / sum(${total}))`)
  const unknown = `count(${members} unless ${total})`
  const waiting = `(${each(series('sti_backfill_throttled'))} == 1) or (${each(series('sti_backfill_paused'))} == 1)`
  return (
    statPanel(
      scope,
      'Progress of the backfills of all members that have one, the longest time left, how many are paused or wait, how many members have no backfill yet, and the members that are furthest behind.',
      NO_VALUE,
    )
      // While the rows of a member are unknown, the others are not the whole fleet.
      .withTarget(instantQuery('Complete', 'complete', `${complete} unless on () ${unknown}`))
      .withTarget(instantQuery('Partial', 'complete', `${complete} and on () ${unknown}`))
      .withTarget(instantQuery('Processed', 'processed', sum(series('sti_backfill_processed_rows'))))
      .withTarget(instantQuery('Total', 'total', `sum(${total})`))
      .withTarget(
        instantQuery(
          'Rate',
          'rows/min',
          `sum(60 * ${each(series('sti_backfill_rows_per_second'))} and ${running}) or on() (0 * sum(${total}))`,
        ),
      )
      .withTarget(
        instantQuery('Left', 'time left', `max(${each(series('sti_backfill_remaining_seconds'))} and ${running})`),
      )
      .withTarget(instantQuery('Waiting', 'paused or waiting', `count(${waiting})`))
      .withTarget(instantQuery('Missing', 'without a backfill', `count(${reporting} unless ${total})`))
      .withTarget(
        instantQuery('Worst', 'slowest: {{name}}', worstValues(`floor(1000 * ${ratio}) / 1000 < 1`, 'lowest')),
      )
      .overrideByQuery('Complete', completeOverride)
      .overrideByQuery('Partial', [unit('percentunit'), decimals(1), colorOverride('blue')])
      .overrideByQuery('Processed', rowsOverride)
      .overrideByQuery('Total', rowsOverride)
      .overrideByQuery('Rate', [...rowsOverride, colorOverride('blue')])
      .overrideByQuery('Left', [unit('dthms')])
      .overrideByQuery('Waiting', [colorOverride('orange')])
      .overrideByQuery('Missing', [colorOverride('orange')])
      .overrideByQuery('Worst', completeOverride)
  )
}

const completeOverride = [unit('percentunit'), decimals(1), thresholdsOverride([null, 'blue'], [1, 'green'])]
const rowsOverride = [unit('locale'), decimals(0)]
