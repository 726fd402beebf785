import { keyAsJson } from '../engine/keys.ts'
import { literal } from '../rollout/names.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { counterSql, type Resolution } from './counter.ts'

/**
 * Statements for a write that says two things: what `conflicts` of the file decides, from the variables `type_given` and
 * `legacy_says`. Where a subscription applies changes nothing is refused.
 */
export function conflict(
  rollout: Rollout,
  table: Table,
  { legacyWins, typeWins }: { legacyWins: string; typeWins: string },
): string {
  const byLegacy = `${count(rollout, table, 'legacy')}\n    ${legacyWins}`
  switch (rollout.file.conflicts) {
    case 'type':
      return `${count(rollout, table, 'type')}\n  ${typeWins}`
    case 'legacy':
      return byLegacy
    case 'refuse':
      return `if current_setting('session_replication_role') = 'replica' then
    ${byLegacy}
  else
    ${refusal(rollout)}
  end if;`
  }
}

/** Counted first: a sequence keeps its number when the write is rolled back. 23514 is what a CHECK would raise. */
function refusal(rollout: Rollout): string {
  const { table, discriminator, reads, name } = rollout
  const shown = [`${table.schema}.${table.name}`, discriminator.column, reads.join(', ')].map(literal)
  return `perform nextval(${literal(counterSql(rollout, 'refused'))}::regclass);
    raise exception using errcode = '23514', constraint = 'sti_conflict',
      schema = ${literal(table.schema)}, table = ${literal(table.name)}, column = ${literal(discriminator.column)},
      message = format('a row of %1$s is given a type and legacy columns that disagree: %2$s is %4$L, and %3$s say %5$L',
        ${shown.join(', ')}, type_given::text, legacy_says::text),
      hint = ${literal(`Write the type or the legacy columns, or both so that they agree (conflicts: refuse, in rollout file ${name}).`)};`
}

/** Counts it, and keeps the value that loses. */
export function count(rollout: Rollout, table: Table, resolution: Resolution): string {
  const counter = `${literal(counterSql(rollout, resolution))}::regclass`
  return `perform sti.conflict_met(${counter}, ${literal(rollout.name)}, ${literal(resolution)}, ${keyAsJson(table.key, 'new')}, type_given::text, legacy_says::text);`
}
