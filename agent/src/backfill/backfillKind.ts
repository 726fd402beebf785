import { BackfillParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import { measuredRate, estimateDuration, type MeasuredRate } from '../kind/durationEstimate.ts'
import { runBackfill } from './runBackfill.ts'
import { runBackfillHelper } from './backfillHelper.ts'
import { backfillRefusals } from './backfillRefusals.ts'

/** Rows per second and WAL bytes per row that a preview assumes before anything was measured here. */
const ASSUMED_ROWS_PER_SECOND = 50_000
const ASSUMED_WAL_BYTES_PER_ROW = 500

export const backfill: OperationDefinition<'backfill'> = {
  kind: 'backfill',
  refusals(facts, parameters) {
    return [
      ...backfillRefusals(facts),
      // Not while it goes on: a promotion may grow too old in the middle of a long backfill.
      ...(facts.promotion?.backfillToo ? facts.promotion.reasons : []),
      ...(parameters['failedRowsOnly'] === true && facts.failedRows + facts.acceptedRows === 0
        ? ['There is no failed row to try again.']
        : []),
    ]
  },
  async preview({ rollout, table, facts }, parameters) {
    const { batchSize, checkpointInterval, workers, agents } = BackfillParameters.parse(parameters)
    const { estimatedRows } = table
    const rows = estimatedRows === null ? null : Math.round(estimatedRows * (1 - (facts.activePrefill?.share ?? 0)))
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
          ? 'Batches of 1,000 rows to begin with; larger ones while that is faster, of at most 0.1 s.'
          : `Batches of at most ${batchSize} rows.`,
        ...(workers * agents > 1 ? [`At most ${workers * agents} batches are written at the same time.`] : []),
        `Each batch commits its checkpoint with its rows; every ${checkpointInterval}th is flushed to disk.`,
        `A row that fails is recorded and left out; more than ${rollout.file.errorBudget * 100} % of them fail the backfill.`,
        ...(facts.lastSucceededBackfill ? ['It has ended before: rows that are right are skipped.'] : []),
      ],
    }
  },
  run: runBackfill,
  runHelper: runBackfillHelper,
}

/** How fast the last one wrote; of one that found most rows right already that says nothing. */
function lastWriteRate({ lastSucceededBackfill: backfilled }: RolloutFacts): MeasuredRate | null {
  const { passedRows, writtenRows } = backfilled?.result ?? {}
  return Number(writtenRows) * 2 >= Number(passedRows) ? measuredRate(backfilled ?? undefined, writtenRows) : null
}
