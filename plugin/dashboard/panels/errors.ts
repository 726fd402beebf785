import {
  colorOverride,
  decimals,
  displayNameOverride,
  textMappings,
  thresholdsOverride,
  unit,
  valueMappings,
} from '../fieldOverrides.ts'
import { roundDownRatio, rolloutSeries } from '../promql.ts'
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

const failedRows = (labels = '') => `max by (sqlstate) (${rolloutSeries('sti_failed_rows', labels)})`

const basePanel = statPanel(
  'Rows that could not be written and are still wrong, the retries of the backfill, how many failed rows are correct now, and the most frequent errors by SQLSTATE.',
  'No rows have been written yet. Counting starts with the backfill.',
)
  .withTarget(instantQuery('Failed', 'failed rows', `sum(${failedRows()})`))
  .withTarget(instantQuery('Retries', 'retries', `sum(max by (sqlstate) (${rolloutSeries('sti_retries_total')}))`))
  .withTarget(instantQuery('Recovery', 'recovered', roundDownRatio(`max(${rolloutSeries('sti_recovery_ratio')})`)))
  .withTarget(instantQuery('Types', '{{sqlstate}}', `topk(3, ${failedRows('sqlstate!=""')} > 0)`))
  // Without errors the panel keeps its four rows.
  .withTarget(instantQuery('NoTypes', 'error types', `0 * (sum(${failedRows()}) == 0)`))
  .withTarget(
    instantQuery(
      'NothingRecovered',
      'recovered',
      `0 * (sum(${failedRows()}) == 0) unless on() max(${rolloutSeries('sti_recovery_ratio')})`,
    ),
  )
  .overrideByQuery('NoTypes', [valueMappings(textMappings({ '0': ['none', 'green'] }))])
  .overrideByQuery('NothingRecovered', [valueMappings(textMappings({ '0': ['nothing to recover', 'text'] }))])
  .unit('locale')
  .decimals(0)
  .overrideByQuery('Failed', [thresholdsOverride([null, 'green'], [1, 'red'])])
  .overrideByQuery('Recovery', [unit('percentunit'), decimals(1)])
  .overrideByQuery('Types', [colorOverride('orange')])

const panel = Object.entries(SQLSTATE_NAMES).reduce(
  (builder, [sqlstate, name]) =>
    builder.overrideByName(sqlstate, [displayNameOverride(sqlstate === 'unmapped' ? name : `${sqlstate} ${name}`)]),
  basePanel,
)

export const errorsPanel = { width: 8, panel }
