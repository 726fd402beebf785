import type { ColumnDrop } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { readColumnDrop } from './store.ts'
import { readDroppedColumns } from './watch/droppedColumns.ts'
import { readEvaluations } from '../measure/flagEvaluations.ts'
import { readStatements } from './watch/statementWatch.ts'

const MAX_USES_SHOWN = 50

/** The status of a rollout's column drop: the newest run and the results of the usage watch. */
export async function columnDropStatus(state: Sql, environment: string, facts: RolloutFacts): Promise<ColumnDrop> {
  const { rollout, flag, columnDrop } = facts
  const [last, dropped, evaluations, statements] = await Promise.all([
    readColumnDrop(state, rollout.name),
    readDroppedColumns(state, rollout.name),
    readEvaluations(state, rollout.name),
    readStatements(state, rollout.name),
  ])
  const staleBecause = columnDrop?.staleBecause ?? null
  return {
    rollout: rollout.name,
    environment,
    legacyColumns: [...rollout.legacyColumns],
    last,
    fresh: columnDrop !== null && columnDrop.prepared && staleBecause === null,
    staleBecause,
    dropped: dropped && {
      columns: [...dropped.columns],
      noticedAt: dropped.noticedAt,
      restore: restoreAdvice(dropped.undo, facts),
    },
    archive: facts.archive,
    watch: {
      soakSeconds: rollout.file.soak,
      flagFullSince: flag.enabled && flag.percentage >= 100 ? flag.changedAt : null,
      evaluationsWatchedSince: evaluations.since,
      lastEvaluatedAt: evaluations.evaluatedAt,
      lastEvaluatedBy: evaluations.evaluatedBy,
      statementsWatchedSince: statements.since,
      uses: statements.uses.slice(0, MAX_USES_SHOWN).map(({ statement, reads, writes, calledAt }) => ({
        statement,
        reads: [...reads],
        writes: [...writes],
        lastCalledAt: calledAt,
      })),
    },
  }
}

function restoreAdvice(undo: boolean, { archive }: RolloutFacts): string {
  if (archive?.there !== true)
    return 'The archive was removed, and the data with it. The down migration gives each row the values that restore in the rollout file sets for its type. Values of individual rows are only in backups and, if the archive was exported, in the file that the event of the removal names.'
  return undo
    ? 'Run the down migration with your migration tool, then sti expand, sti validate, and sti finalize.'
    : 'The drop was prepared without an undo. Restore the columns from a backup, or manually from the archive in schema sti.'
}
