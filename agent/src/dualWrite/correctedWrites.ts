import { matchAcceptances } from '../acceptance/acceptanceStore.ts'
import { acceptCheckCommand, type Acceptance } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { formatDuration, formatQuantity } from '../format/format.ts'
import type { CorrectedWrites } from '../kind/facts.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { shortenStatement, statementSubject } from '../rollout/statementText.ts'
import { conflictClockName, conflictClockSql, conflictSequenceName, conflictSequenceSql } from './conflictCounts.ts'

/** The check of a validation that counts conflicts; its subjects are the statements that wrote them. */
export const CONFLICTS_CHECK = 'dual-write-conflicts'
/** The subject for conflicts whose statement was not stored, since each write was rolled back. */
const UNKNOWN_STATEMENT = 'writes whose statement is unknown'
const MAX_STATEMENTS = 100

/**
 * The conflicts of the last soak time that the dual-write trigger has corrected, because finalize has not run yet. Null: there
 * were none since expand added the column.
 */
export async function readCorrectedWrites(
  sql: Sql,
  rollout: Rollout,
  acceptances: readonly Acceptance[],
  columnAddedAt: string | null,
): Promise<CorrectedWrites | null> {
  const { soak } = rollout.file
  const [counters] = await sql<{ count: number; at: Date; recent: boolean }[]>`
    select count::float8 as count, to_timestamp(second) as at,
      -- The clock has whole seconds: the last conflict is up to one second later.
      to_timestamp(second + 1) > greatest(clock_timestamp() - make_interval(secs => ${soak}), ${columnAddedAt}::timestamptz) as recent
    from (select coalesce(pg_sequence_last_value(to_regclass(${conflictSequenceSql(rollout, 'corrected')})), 0)
        + coalesce((select sum(value) from sti.node_counter where counter = ${conflictSequenceName(rollout, 'corrected')}), 0) as count,
      greatest(pg_sequence_last_value(to_regclass(${conflictClockSql(rollout)})),
        (select max(value) from sti.node_counter where counter = ${conflictClockName(rollout)})) as second) counters
    where second is not null`
  if (!counters?.recent) return null
  const rows = await sql<{ statement: string; at: Date }[]>`
    select statement, max(at) as at from sti.conflict where rollout = ${rollout.name} and resolution = 'corrected'
      and at > greatest(clock_timestamp() - make_interval(secs => ${soak}), ${columnAddedAt}::timestamptz)
    group by statement order by 2 desc limit ${MAX_STATEMENTS}`
  return { count: counters.count, lastAt: counters.at.toISOString(), ...matchStatements(rows, acceptances) }
}

/** Whether an admin has accepted each statement whose writes were corrected since an instant (null: ever). */
export async function areCorrectedWritesAccepted(
  sql: Sql,
  rollout: Rollout,
  acceptances: readonly Acceptance[],
  since: Date | null,
): Promise<boolean> {
  const rows = await sql<{ statement: string }[]>`
    select distinct statement from sti.conflict where rollout = ${rollout.name} and resolution = 'corrected'
      and at > coalesce(${since}::timestamptz, '-infinity')`
  return matchStatements(rows, acceptances).open.length === 0
}

function matchStatements(rows: readonly { statement: string }[], acceptances: readonly Acceptance[]) {
  const subjects = [...new Set(rows.map(({ statement }) => statementSubject(statement)))]
  const statements = subjects.length === 0 ? [UNKNOWN_STATEMENT] : subjects
  return { statements, open: matchAcceptances(acceptances, CONFLICTS_CHECK, statements).open }
}

/** Two sentences: what was counted, and what happens to such a write after finalize. */
export function describeCorrectedWrites({ file }: Rollout, corrected: CorrectedWrites): string {
  const { count, lastAt, statements } = corrected
  const afterFinalize = {
    refuse: 'After finalize, such a write fails (`conflicts: refuse`)',
    type: 'After finalize, the legacy columns of such a row follow its type (`conflicts: type`)',
    legacy: 'After finalize, the type still follows the legacy columns (`conflicts: legacy`)',
  }[file.conflicts]
  const [first, ...others] = statements
  return `${formatQuantity(count, 'write')} since expand set a type that contradicts the legacy columns or is not in the rollout file, the last at ${lastAt}; the dual-write trigger corrected the type. ${afterFinalize}, and a type that is not in the file is refused. Written by: ${shortenStatement(first!)}${others.length === 0 ? '' : ` and ${formatQuantity(others.length, 'other statement')}`}.`
}

/** Why finalize must wait for the code that writes conflicts. */
export function correctedWritesRefusals(rollout: Rollout, corrected: CorrectedWrites | null): string[] {
  if (corrected === null || corrected.open.length === 0 || rollout.file.conflicts === 'legacy') return []
  return [
    `${describeCorrectedWrites(rollout, corrected)} Change the code that sets the type, and wait until there has been no such write for the soak time (${formatDuration(rollout.file.soak)}). An admin who knows that it is safe can accept each statement: ${acceptCheckCommand(CONFLICTS_CHECK)}.`,
  ]
}
