import { keyAsJson } from '../engine/keys.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { isRestoreDecided } from '../rollout/restoreValue.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { conflictSequenceSql, type ConflictResolution } from './conflictCounts.ts'

interface ConflictOutcomes {
  /** PL/pgSQL that makes the type follow the legacy columns. */
  readonly legacyWins: string
  /** PL/pgSQL that makes the legacy columns follow the type. */
  readonly typeWins: string
  /** PL/pgSQL condition after `typeWins`: the legacy columns of this row cannot follow. Null: they always can. */
  readonly typeCannotWin: string | null
}

/**
 * PL/pgSQL for a write whose type (`type_given`) and legacy columns (`legacy_says`) disagree, as `conflicts` of the rollout
 * file decides. A subscription that applies changes is never refused, since it would stop.
 */
export function conflictSql(
  rollout: Rollout,
  table: Table,
  { legacyWins, typeWins, typeCannotWin }: ConflictOutcomes,
): string {
  const legacyWinsSql = `${countConflictSql(rollout, table, 'legacy')}\n    ${legacyWins}`
  const countTypeSql = countConflictSql(rollout, table, 'type')
  switch (rollout.file.conflicts) {
    case 'type':
      return typeCannotWin === null
        ? `${countTypeSql}\n  ${typeWins}`
        : `${typeWins}
  if ${typeCannotWin} then
    new := written;
    ${legacyWinsSql}
  else
    ${countTypeSql}
  end if;`
    case 'legacy':
      return legacyWinsSql
    case 'refuse':
      return `if current_setting('session_replication_role') = 'replica' then
    ${legacyWinsSql}
  else
    ${refuseConflictSql(rollout, table)}
  end if;`
  }
}

/** Counts before it raises: a sequence keeps its number if the write is rolled back. 23514 is the SQLSTATE of a CHECK. */
function refuseConflictSql(rollout: Rollout, written: Table): string {
  const { table, discriminator, conditionColumns: reads, name } = rollout
  const count = `perform nextval(${quoteLiteral(conflictSequenceSql(rollout, 'refused'))}::regclass);`
  const keepsColumns = rollout.types.some((type) => !isRestoreDecided(rollout, type))
  const identifiers = [`${table.schema}.${table.name}`, discriminator.column, reads.join(', ')].map(quoteLiteral)
  return `${written.citus === null ? count : countOnNodeSql(rollout, written, count)}
    raise exception using errcode = '23514', constraint = 'sti_conflict',
      schema = ${quoteLiteral(table.schema)}, table = ${quoteLiteral(table.name)}, column = ${quoteLiteral(discriminator.column)},
      message = format('type and legacy columns of a row of %1$s disagree: %2$s is %4$L, but %3$s imply %5$L',
        ${identifiers.join(', ')}, type_given::text, legacy_says::text),
      hint = ${quoteLiteral(`Write the type, or the legacy columns, or both with values that agree${keepsColumns ? '; a legacy column that restore keeps or derives from the row may have to be written with the type' : ''} (conflicts: refuse, in rollout file ${name}).`)};`
}

/** PL/pgSQL that counts a conflict and stores the value that loses. */
export function countConflictSql(rollout: Rollout, table: Table, resolution: ConflictResolution): string {
  const counter = `${quoteLiteral(conflictSequenceSql(rollout, resolution))}::regclass`
  const count = `perform sti.record_conflict(${counter}, ${quoteLiteral(rollout.name)}, ${quoteLiteral(resolution)}, ${keyAsJson(table.key, 'new')}, type_given::text, legacy_says::text);`
  return table.citus === null ? count : countOnNodeSql(rollout, table, count)
}

/**
 * PL/pgSQL that counts a conflict on the node of a shard. A node that was added a moment ago may not have the counters yet
 * (nodeConflicts.ts): the write goes on, and the conflict is in the log of that node.
 */
function countOnNodeSql(rollout: Rollout, table: Table, count: string): string {
  return `begin
      ${count}
    exception when others then
      raise log 'sti: a conflict of rollout % was not counted: %; key %, type %, legacy columns imply %',
        ${quoteLiteral(rollout.name)}, sqlerrm, ${keyAsJson(table.key, 'new')}, type_given, legacy_says;
    end;`
}
