import type { Sql } from '../../database/connect.ts'
import { formatQuantity } from '../../format/format.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import type { ValidationCheck } from '../check.ts'

interface ConstraintState {
  readonly notValid: { name: string; table: string; check: string | null }[]
  readonly disabled: string[]
  readonly invalidIndexes: string[]
}

/**
 * Every constraint of the table is enforced: what finalize created still exists, no index is invalid, foreign key
 * triggers are enabled, and rows satisfy each CHECK that PostgreSQL has not validated.
 */
export const constraintsValid: ValidationCheck = {
  name: 'constraints-valid',
  layer: 'integrity',
  unit: 'count',
  seconds: 120,
  async run({ sql, facts, table }) {
    const constraintState = await readConstraintState(sql, table.oid)
    const schemaChanging = facts.openOperations.some(({ kind }) => kind === 'finalize' || kind === 'rollback')
    const finalized = facts.changes.some((change) => change.kind === 'constraint' && change.confirmed)
    const missing =
      finalized && !schemaChanging
        ? facts.finalizeMissing.map((object) => `${object} was removed after finalize: finalize again`)
        : []
    const violations: string[] = []
    let rows = 0
    for (const { name, table: on, check } of constraintState.notValid) {
      if (check === null) continue
      const { n } = onlyRow(
        await sql.unsafe<{ n: number }[]>(`select /* sti */ count(*)::int as n from ${on} where not (${check})`),
      )
      rows += n
      if (n > 0)
        violations.push(`${formatQuantity(n, 'row')} violate ${name} on ${on}, which is NOT VALID: fix the rows`)
    }
    const faults = [
      ...missing,
      ...violations,
      ...constraintState.disabled.map(
        (name) =>
          `foreign key ${name} is not enforced because its triggers are disabled: run ALTER TABLE … ENABLE TRIGGER ALL`,
      ),
      ...(schemaChanging
        ? []
        : constraintState.invalidIndexes.map((name) => `index ${name} is invalid: REINDEX or drop it`)),
    ]
    const notValidated = constraintState.notValid.map(({ name }) => name)
    return {
      verdict: faults.length === 0 ? 'pass' : 'fail',
      value: faults.length,
      limit: 0,
      discrepancies: rows,
      detail:
        faults.length > 0
          ? faults.join('; ')
          : notValidated.length > 0
            ? `all constraints are enforced; PostgreSQL has not validated ${notValidated.join(', ')}`
            : 'all constraints are valid and enforced',
    }
  },
}

async function readConstraintState(sql: Sql, oid: number): Promise<ConstraintState> {
  const answer = await sql<ConstraintState[]>`
    with tree as (select ${oid}::oid as oid union select relid from pg_partition_tree(${oid}::oid::regclass))
    select
      (select coalesce(jsonb_agg(jsonb_build_object('name', quote_ident(c.conname), 'table', c.conrelid::regclass::text,
          'check', case when c.contype = 'c' then pg_get_expr(c.conbin, c.conrelid) end) order by c.conname), '[]')
        -- PostgreSQL 18 checks no row for a constraint that is NOT ENFORCED.
        from pg_constraint c where not c.convalidated and c.contype in ('c', 'f') and coalesce((to_jsonb(c)->>'conenforced')::boolean, true)
          and (c.conrelid in (select oid from tree) or c.confrelid = ${oid}::oid)) as "notValid",
      (select coalesce(jsonb_agg(distinct quote_ident(c.conname)), '[]')
        from pg_trigger t join pg_constraint c on c.oid = t.tgconstraint
        where t.tgisinternal and t.tgenabled not in ('O', 'A') and c.contype = 'f'
          and (c.conrelid in (select oid from tree) or c.confrelid in (select oid from tree))) as disabled,
      (select coalesce(jsonb_agg(i.indexrelid::regclass::text), '[]') from pg_index i
        where i.indrelid in (select oid from tree) and (not i.indisvalid or not i.indisready)) as "invalidIndexes"`
  return onlyRow(answer)
}
