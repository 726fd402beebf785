import { keyAsJson } from '../engine/keys.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { conflictSequenceSql, type ConflictResolution } from './conflictSequences.ts'

/**
 * Statements for a write that says two things: what `conflicts` of the file decides, from the variables `type_given` and
 * `legacy_says`. Where a subscription applies changes nothing is refused.
 */
export function conflictSql(
  rollout: Rollout,
  table: Table,
  { legacyWins, typeWins }: { legacyWins: string; typeWins: string },
): string {
  const legacyWinsSql = `${countConflictSql(rollout, table, 'legacy')}\n    ${legacyWins}`
  switch (rollout.file.conflicts) {
    case 'type':
      return `${countConflictSql(rollout, table, 'type')}\n  ${typeWins}`
    case 'legacy':
      return legacyWinsSql
    case 'refuse':
      return `if current_setting('session_replication_role') = 'replica' then
    ${legacyWinsSql}
  else
    ${refuseConflictSql(rollout)}
  end if;`
  }
}

/** Counted first: a sequence keeps its number when the write is rolled back. 23514 is what a CHECK would raise. */
function refuseConflictSql(rollout: Rollout): string {
  const { table, discriminator, conditionColumns: reads, name } = rollout
  const identifiers = [`${table.schema}.${table.name}`, discriminator.column, reads.join(', ')].map(quoteLiteral)
  return `perform nextval(${quoteLiteral(conflictSequenceSql(rollout, 'refused'))}::regclass);
    raise exception using errcode = '23514', constraint = 'sti_conflict',
      schema = ${quoteLiteral(table.schema)}, table = ${quoteLiteral(table.name)}, column = ${quoteLiteral(discriminator.column)},
      message = format('a row of %1$s is given a type and legacy columns that disagree: %2$s is %4$L, and %3$s say %5$L',
        ${identifiers.join(', ')}, type_given::text, legacy_says::text),
      hint = ${quoteLiteral(`Write the type or the legacy columns, or both so that they agree (conflicts: refuse, in rollout file ${name}).`)};`
}

/** Counts it, and keeps the value that loses. */
export function countConflictSql(rollout: Rollout, table: Table, resolution: ConflictResolution): string {
  const counter = `${quoteLiteral(conflictSequenceSql(rollout, resolution))}::regclass`
  return `perform sti.conflict_met(${counter}, ${quoteLiteral(rollout.name)}, ${quoteLiteral(resolution)}, ${keyAsJson(table.key, 'new')}, type_given::text, legacy_says::text);`
}
