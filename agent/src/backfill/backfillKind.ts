import { BackfillParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import { measuredRate, estimateDuration, type MeasuredRate } from '../kind/durationEstimate.ts'
import { formatPercent, formatQuantity } from '../format/format.ts'
import { runBackfill, runBackfillHelper } from './runBackfill.ts'
import { backfillRefusals } from './backfillRefusals.ts'

/** Rates that a preview assumes before the first measurement. */
const ASSUMED_ROWS_PER_SECOND = 50_000
const ASSUMED_WAL_BYTES_PER_ROW = 500

export const backfill: OperationDefinition<'backfill'> = {
  kind: 'backfill',
  refusals(facts, parameters) {
    return [
      ...backfillRefusals(facts),
      // Not checked during a backfill: a promotion may expire in the middle of a long one.
      ...(facts.promotion?.backfillToo ? facts.promotion.reasons : []),
      ...(parameters['failedRowsOnly'] === true && facts.failedRows + facts.acceptedRows === 0
        ? ['There is no failed row to retry.']
        : []),
    ]
  },
  async preview({ rollout, table, facts }, parameters) {
    const { batchSize, checkpointInterval, workers, agents, failedRowsOnly } = BackfillParameters.parse(parameters)
    const { estimatedRows } = table
    const writtenShare = 1 - (facts.activePrefill?.share ?? 0)
    const rows = failedRowsOnly
      ? facts.failedRows + facts.acceptedRows
      : estimatedRows === null
        ? null
        : Math.round(estimatedRows * writtenShare)
    const { notes, ...time } = estimateDuration(rows, lastWriteRate(facts), {
      does: 'writes',
      perSecond: ASSUMED_ROWS_PER_SECOND,
    })
    return {
      ...time,
      rows,
      estimatedWalBytes: rows === null ? null : rows * ASSUMED_WAL_BYTES_PER_ROW,
      statements: [
        `update ${rollout.table.sql} as t set ${rollout.discriminator.sql} = ${rollout.derive('t')} where <pages of the table> and …`,
      ],
      notes: [
        ...notes,
        batchSize === undefined
          ? `Batches start at 1,000 rows and grow while that is ${table.citus === null ? 'faster' : 'possible'}, up to 0.1 s per batch.`
          : `Batches of at most ${formatQuantity(batchSize, 'row')}.`,
        ...(workers * agents > 1 ? [`At most ${workers * agents} batches are written concurrently.`] : []),
        `Each batch commits its checkpoint with its rows. The commit is flushed to disk every ${formatQuantity(checkpointInterval, 'batch', 'batches')}.`,
        `A row that fails is recorded and skipped. The backfill fails if more than ${formatPercent(rollout.file.errorBudget)} of rows fail.`,
        ...(facts.lastSucceededBackfill ? ['A backfill has succeeded before: rows that are right are skipped.'] : []),
      ],
    }
  },
  run: runBackfill,
  runHelper: runBackfillHelper,
}

/** Write rate of the last backfill; null if it skipped most rows, which says little about writing. */
function lastWriteRate({ lastSucceededBackfill: backfilled }: RolloutFacts): MeasuredRate | null {
  const { passedRows, writtenRows } = backfilled?.result ?? {}
  return Number(writtenRows) * 2 >= Number(passedRows) ? measuredRate(backfilled ?? undefined, writtenRows) : null
}
