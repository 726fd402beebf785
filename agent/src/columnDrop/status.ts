import type { ColumnDrop } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { readColumnDrop } from './store.ts'
import { readDroppedColumns } from './watch/droppedColumns.ts'
import { readEvaluations } from './watch/flagEvaluations.ts'
import { readStatements } from './watch/statementWatch.ts'

const MAX_USES_SHOWN = 50

/** What there is of the column drop of a rollout: the newest run, and what the watch has seen. */
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
    return 'The archive was removed, and the data with it: the migration down gives each row what restore of the rollout file says of its type. What a row had of its own is in backups, and in a file if the archive was exported: the event of the removal names it.'
  return undo
    ? 'Run the migration down with your migration tool, then sti expand, sti validate and sti finalize.'
    : 'It was prepared without an undo: restore the columns from a backup, or from the archive in schema sti by hand.'
}
