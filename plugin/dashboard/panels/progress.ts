import { BigValueGraphMode, VizTextDisplayOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import { PAUSED_BY, THROTTLE_REASONS } from '../../../agent/src/metrics/source.ts'
import { colored, decimals, mapped, stepped, texts, unit } from '../look.ts'
import { down, ofRollout, SILENT } from '../series.ts'
import { statPanel } from '../statPanel.ts'
import { now, over } from '../targets.ts'

/** A reason to wait is a negative number of its own, so that a mapping can put it into words. */
const codes = THROTTLE_REASONS.map((reason, index) => ({ reason, code: -1 - index }))
const pauses = PAUSED_BY.map((by, index) => ({ by, code: -100 - index }))
const PAUSED = {
  person: 'paused: by a person',
  agent: 'paused: after trouble',
  rollback: 'paused: rolled back',
} as const

const waiting = codes.map(
  ({ reason, code }) => `${code} * (max(${ofRollout('sti_backfill_throttled', `reason="${reason}"`)}) == 1)`,
)
const paused = pauses.map(({ by, code }) => `${code} * (max(${ofRollout('sti_backfill_paused', `by="${by}"`)}) == 1)`)
const running = `max(${ofRollout('sti_operation_state', 'kind="backfill",state="running"')}) > 0`
const left = [...paused, ...waiting, `(max(${ofRollout('sti_backfill_remaining_seconds')}) and on() ${running})`].join(
  ' or ',
)
/** 0 once it does not run: a range ends with its last sample, and the agent tells no rate then. */
const rate = `(60 * max(${ofRollout('sti_backfill_rows_per_second')}) and on() ${running}) or on() (0 * max(${ofRollout('sti_backfill_total_rows')}))`

export const progress = statPanel(
  'STI Progress Tracker',
  'How far the backfill is. Rows per minute as a line; instead of the time left, why it waits.',
  'No backfill has run yet. Start one in the bar above, after “Expand”.',
)
  .graphMode(BigValueGraphMode.Area)
  // Eight digits fit into a third of the panel.
  .text(new VizTextDisplayOptionsBuilder().titleSize(12).valueSize(15))
  .withTarget(now('Complete', 'complete', down(`max(${ofRollout('sti_backfill_progress_ratio')})`)))
  .withTarget(now('Processed', 'processed', `max(${ofRollout('sti_backfill_processed_rows')})`))
  .withTarget(now('Total', 'total', `max(${ofRollout('sti_backfill_total_rows')})`))
  // A range ends with its last sample: without an agent the line would end green. So it ends with “stale”.
  .withTarget(over('Rate', 'rows/min', `${rate} or on() (0 / 0 * (1 + (${SILENT})))`))
  .withTarget(now('Left', 'time left', left))
  .overrideByQuery('Complete', [unit('percentunit'), decimals(1), stepped([null, 'blue'], [1, 'green'])])
  .overrideByQuery('Processed', [unit('locale'), decimals(0)])
  .overrideByQuery('Total', [unit('locale'), decimals(0)])
  .overrideByQuery('Rate', [
    unit('locale'),
    decimals(0),
    colored('blue'),
    mapped([
      { type: 'special', options: { match: 'nan', result: { text: 'stale', color: 'red', index: 0 } } } as never,
    ]),
  ])
  .overrideByQuery('Left', [
    unit('dthms'),
    mapped(
      texts({
        ...Object.fromEntries(pauses.map(({ by, code }) => [code, [PAUSED[by], 'orange']])),
        ...Object.fromEntries(
          codes.map(({ reason, code }) => [code, [`paused: ${reason.replaceAll('-', ' ')}`, 'orange']]),
        ),
      }),
    ),
  ])
