import { judgesRows, operationName } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { endedStates } from '../database/endedStates.ts'
import { formatCount } from '../format/format.ts'
import { unforceableRefusals } from '../operation/enablePrerequisites.ts'
import type { OperationRow } from '../operation/operationRow.ts'
import type { FoundTables } from '../rollout/findTables.ts'
import { DERIVE_TRIGGER_NAME } from '../rollout/laterTriggers.ts'
import type { RolloutGroup } from '../rollout/rolloutGroup.ts'
import { listTables } from '../rollout/tableDifferences.ts'

/** What a table lacks before the flag of its group can be on, in the order of the steps. */
const GAPS = [
  {
    gap: 'expanded',
    what: 'have no column or no trigger',
    step: 'run expand (sti expand), then the backfill (sti backfill)',
  },
  { gap: 'covered', what: 'are not backfilled', step: 'run the backfill (sti backfill)' },
  { gap: 'complete', what: 'have failed rows', step: 'fix them and run the backfill again (sti backfill)' },
  {
    gap: 'verified',
    what: 'have no validation that passed since their last backfill or rollback ended',
    step: 'run a validation (sti validate)',
  },
  { gap: 'finalized', what: 'are not finalized', step: 'run finalize (sti finalize)' },
] as const

type GapRow = { readonly name: string } & Readonly<Record<(typeof GAPS)[number]['gap'], boolean>>

/**
 * Why the flag of a group cannot be turned on: it is one flag, so every table must be ready. Reads all of them at once, from
 * catalog and state. `forced` leaves only what would lose writes.
 */
export async function groupEnableRefusals(
  sql: Sql,
  group: RolloutGroup,
  found: FoundTables,
  forced: boolean,
): Promise<string[]> {
  const unforceable = unforceableRefusals({ rollout: group.rollout, activePrefill: null })
  // Rows that were prefilled hold a wrong type until the backfill has written them.
  const required = GAPS.filter(({ gap }) => !forced || (gap === 'covered' && group.file.prefill === 'majority'))
  const [writer] = await sql<OperationRow[]>`
    select * from sti.operation where rollout = ${group.name} and writes_table and state not in ${endedStates(sql)}`
  const children = found.tables.map((table) => ({ table, rollout: group.child(table) }))
  const rows = await readGaps(
    sql,
    group,
    children.map(({ rollout }) => rollout),
  )
  const byName = new Map(rows.map((row) => [row.name, row]))
  const gaps = required.flatMap(({ gap, what, step }) => {
    // Only the first step that a table lacks: the others follow from it.
    const lacking = children.filter(({ rollout }) => {
      const row = byName.get(rollout.name)!
      return required.find((each) => !row[each.gap])?.gap === gap
    })
    if (lacking.length === 0) return []
    const tables = listTables(lacking.map(({ table }) => table))
    return [`${formatCount(lacking.length)} of ${formatCount(children.length)} tables ${what} (${tables}): ${step}.`]
  })
  if (forced) return [...gaps, ...unforceable]
  return [
    ...found.faults,
    ...(writer ? [`${operationName(writer)} is ${writer.state}: wait for it, or cancel it.`] : []),
    ...gaps,
    ...unforceable,
    ...unjudgedLayers(group),
  ]
}

/** These layers judge the service and the server, not a table. */
function unjudgedLayers({ file, locate }: RolloutGroup): string[] {
  const unjudged = file.validation.requires.filter((layer) => !judgesRows(layer))
  if (unjudged.length === 0) return []
  return [
    `validation.requires lists ${unjudged.join(' and ')}, which is not judged for several tables yet. Write requires: [integrity, business] (${locate(['validation', 'requires'])}), or let an admin force it.`,
  ]
}

async function readGaps(
  sql: Sql,
  { file }: RolloutGroup,
  children: readonly RolloutGroup['rollout'][],
): Promise<GapRow[]> {
  const listed = children.map(({ name, derivationHash, table, discriminator }) => ({
    name,
    hash: derivationHash,
    table: table.sql,
    column: discriminator.column,
  }))
  const usesTrigger = file.dualWrite === 'trigger'
  return await sql<GapRow[]>`
    with listed as materialized (
      select l.*, to_regclass(l."table")::oid as relation
      from jsonb_to_recordset(${sql.json(listed)}) as l (name text, hash text, "table" text, "column" text)
    ), operation as materialized (
      select o.rollout, max(o.ended_at) filter (where o.kind in ('backfill', 'rollback')) as wrote,
        max(o.id) filter (where o.kind = 'rollback' and o.parameters->>'scope' in ('data', 'system')) as rollback,
        max(o.id) filter (where o.kind = 'backfill' and o.state = 'succeeded' and o.derivation_hash = l.hash
          and o.parameters->'failedRowsOnly' is null) as backfill,
        max(o.id) filter (where o.kind = 'finalize' and o.state = 'succeeded' and o.derivation_hash = l.hash) as finalize
      from listed l join sti.operation o on o.rollout = l.name group by o.rollout
    )
    select l.name,
      exists (select from pg_attribute a where a.attrelid = l.relation and a.attname = l."column" and not a.attisdropped)
        and (not ${usesTrigger}::boolean or exists (select from pg_trigger t
          where t.tgrelid = l.relation and t.tgname = ${DERIVE_TRIGGER_NAME} and t.tgenabled = 'A')) as expanded,
      coalesce(o.backfill > coalesce(o.rollback, 0), false) as covered,
      not exists (select from sti.failed_row f
        where f.rollout = l.name and f.recovered_at is null and f.accepted_by is null) as complete,
      coalesce((select v.verdict = 'pass' and v.derivation_hash = l.hash and v.started_at > o.wrote from sti.validation v
        where v.rollout = l.name and v.ended_at is not null order by v.id desc limit 1), false) as verified,
      coalesce(o.finalize > coalesce(o.rollback, 0), false) as finalized
    from listed l left join operation o on o.rollout = l.name`
}
