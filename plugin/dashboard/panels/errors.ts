import {
  colorOverride,
  decimals,
  displayNameOverride,
  textMappings,
  thresholdsOverride,
  unit,
  valueMappings,
} from '../fieldOverrides.ts'
import type { PanelScope } from '../panelScope.ts'
import { roundDownRatio } from '../promql.ts'
import { statPanel } from '../statPanel.ts'
import { instantQuery } from '../targets.ts'

/** The errors of failed rows: SQLSTATE classes 22, 23, and 44, P0001, and a row that no type matches. */
const SQLSTATE_NAMES: Record<string, string> = {
  unmapped: 'no type matches',
  '22001': 'string too long',
  '22003': 'number out of range',
  '22007': 'invalid date format',
  '22008': 'date out of range',
  '22012': 'division by zero',
  '22021': 'invalid character',
  '22023': 'invalid parameter',
  '22P02': 'invalid text representation',
  '23502': 'not-null violation',
  '23503': 'foreign key violation',
  '23505': 'unique violation',
  '23514': 'check violation',
  '23P01': 'exclusion violation',
  '44000': 'check option violation',
  P0001: 'raised by a trigger',
}

const DESCRIPTION =
  'Rows that could not be written and are still wrong, the retries of the backfill, how many failed rows are correct now, and the most frequent errors by SQLSTATE.'
const FLEET_DESCRIPTION =
  'Rows of all members that could not be written and are still wrong, the retries of their backfills, the lowest ratio of failed rows that are correct now, the most frequent errors by SQLSTATE, and the members with the most failed rows.'

export function errorsPanel(scope: PanelScope) {
  const { fleet, rollout: series, each, lowest } = scope
  const failedRows = (labels = '') => each(series('sti_failed_rows', labels), 'sqlstate')
  const types = `${failedRows('sqlstate!=""')} > 0`
  const recovery = series('sti_recovery_ratio')
  const panel = statPanel(
    scope,
    fleet === null ? DESCRIPTION : FLEET_DESCRIPTION,
    'No rows have been written yet. Counting starts with the backfill.',
  )
    .withTarget(instantQuery('Failed', 'failed rows', `sum(${failedRows()})`))
    .withTarget(instantQuery('Retries', 'retries', `sum(${each(series('sti_retries_total'), 'sqlstate')})`))
    .withTarget(instantQuery('Recovery', 'recovered', roundDownRatio(lowest(recovery))))
    .withTarget(
      instantQuery('Types', '{{sqlstate}}', `topk(3, ${fleet === null ? types : `sum by (sqlstate) (${types})`})`),
    )
    // Without errors the panel keeps its four rows.
    .withTarget(instantQuery('NoTypes', 'error types', `0 * (sum(${failedRows()}) == 0)`))
    .withTarget(
      instantQuery('NothingRecovered', 'recovered', `0 * (sum(${failedRows()}) == 0) unless on() ${lowest(recovery)}`),
    )
    .overrideByQuery('NoTypes', [valueMappings(textMappings({ '0': ['none', 'green'] }))])
    .overrideByQuery('NothingRecovered', [valueMappings(textMappings({ '0': ['nothing to recover', 'text'] }))])
    .unit('locale')
    .decimals(0)
    .overrideByQuery('Failed', [thresholdsOverride([null, 'green'], [1, 'red'])])
    .overrideByQuery('Recovery', [unit('percentunit'), decimals(1)])
    .overrideByQuery('Types', [colorOverride('orange')])
  if (fleet !== null)
    panel
      .withTarget(instantQuery('Worst', 'failed in {{name}}', fleet.worstValues(`sum by (name) (${failedRows()}) > 0`)))
      .overrideByQuery('Worst', [colorOverride('red')])
  for (const [sqlstate, name] of Object.entries(SQLSTATE_NAMES))
    panel.overrideByName(sqlstate, [displayNameOverride(sqlstate === 'unmapped' ? name : `${sqlstate} ${name}`)])
  return panel
}
