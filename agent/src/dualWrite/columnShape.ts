import type { Sql } from '../database/connect.ts'
import { quoteIdentifier, quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** The columns that a function of the dual-write trigger was created for, as its journaled change records them. */
export type RecordedColumns = Readonly<Record<string, { readonly number: number; readonly type: string }>>

/** A column of the dual-write trigger that others have changed since. */
export interface ColumnChange {
  readonly name: string
  readonly typeBefore: string
  /** Its name now; null: it was dropped. */
  readonly nameNow: string | null
  readonly typeNow: string | null
}

/** The type, and the legacy columns that a condition reads or `restore` writes. */
export function dualWriteColumns(rollout: Rollout): string[] {
  const restored = rollout.types.flatMap((type) => [...(rollout.restoreValues(type)?.keys() ?? [])])
  return [...new Set([rollout.discriminator.column, ...rollout.conditionColumns, ...restored])]
}

/**
 * PL/pgSQL that returns the row unchanged if a column was renamed, retyped, or dropped since the function was created:
 * then a write of the application must not fail. The block costs a subtransaction, which gets no transaction ID, since
 * nothing in it writes.
 */
export function columnShapeGuard(rollout: Rollout, table: Pick<Table, 'columns'>): string {
  const conditions = dualWriteColumns(rollout).map((name) => {
    const column = table.columns.find((candidate) => candidate.name === name)
    const type = column?.type ?? rollout.discriminator.dataType
    return `pg_catalog.pg_typeof(new.${quoteIdentifier(name)}) = ${quoteLiteral(type)}::pg_catalog.regtype`
  })
  return `  begin
    if not (${conditions.join(' and ')}) then
      return new;
    end if;
  exception when undefined_column or undefined_object then
    return new;
  end;`
}

/** What the journaled change of the function records. The type column may not exist yet. */
export function recordColumns(rollout: Rollout, table: Pick<Table, 'columns'>): { columns: RecordedColumns } {
  const recorded = table.columns.filter(({ name }) => dualWriteColumns(rollout).includes(name))
  return { columns: Object.fromEntries(recorded.map(({ name, number, type }) => [name, { number, type }])) }
}

/** Columns that others have renamed, retyped, or dropped since the function was created, while the trigger exists. */
export async function readColumnChanges(sql: Sql, rollout: Rollout, table: Table): Promise<ColumnChange[]> {
  if (!table.triggers.some(({ ours }) => ours)) return []
  const [change] = await sql<{ columns: RecordedColumns; other: boolean }[]>`
    select before->'columns' as columns, (select o.relation <> ${table.oid}::oid from sti.table_origin o where o.rollout = c.rollout) as other
    from sti.change c where rollout = ${rollout.name} and reverted_at is null and before ? 'columns' order by id desc limit 1`
  // Column numbers of another table say nothing.
  if (change === undefined || change.other) return []
  return Object.entries(change.columns).flatMap(([name, { number, type }]) => {
    const now = table.columns.find((column) => column.number === number)
    if (now?.name === name && withoutModifier(now.type) === withoutModifier(type)) return []
    // A column that was dropped and added again has another number, and serves as well.
    if (
      now === undefined &&
      table.columns.some((column) => column.name === name && withoutModifier(column.type) === withoutModifier(type))
    )
      return []
    return [{ name, typeBefore: type, nameNow: now?.name ?? null, typeNow: now?.type ?? null }]
  })
}

/** A length or a precision can change without a consequence: the guard of the function does not compare it either. */
const withoutModifier = (type: string): string => type.replace(/\(\d+(,-?\d+)?\)/, '')

/** One sentence per change, with the statement that undoes it. */
export function describeColumnChange(rollout: Rollout, { name, typeBefore, nameNow, typeNow }: ColumnChange): string {
  const { sql: table } = rollout.table
  const column = quoteIdentifier(name)
  const alter = (action: string): string => `ALTER TABLE ${table} ${action}`
  const consequence =
    'The application writes as before, but the dual-write trigger changes no row until this is undone, and only the flag can be rolled back'
  if (nameNow === null)
    return `Column ${name} was dropped by others since expand. ${consequence}. ${refillAdvice(rollout, name, alter(`ADD COLUMN ${column} ${typeBefore}`))}`
  if (nameNow !== name)
    return `Column ${name} was renamed to ${nameNow} by others since expand. ${consequence}. Run ${alter(`RENAME COLUMN ${quoteIdentifier(nameNow)} TO ${column}`)}, or turn the flag off, use the new name in ${rollout.path}, and expand again.`
  return `Column ${name} was changed from ${typeBefore} to ${typeNow} by others since expand. ${consequence}. Run ${alter(`ALTER COLUMN ${column} TYPE ${typeBefore} USING ${column}::${withoutModifier(typeBefore)}`)}.`
}

/**
 * Adds a legacy column again and sets it as the type says, in one transaction: between two, a write of the application would
 * derive its type from the empty column.
 */
function refillAdvice(rollout: Rollout, name: string, addColumn: string): string {
  const branches = rollout.types.flatMap((type) => {
    const value = rollout.restoreValues(type)?.get(name)
    if (value === undefined || value.kind === 'keep') return []
    return [`WHEN ${quoteLiteral(type)} THEN ${value.sql(quoteIdentifier)}`]
  })
  if (branches.length === 0) return `Run ${addColumn}; then restore its values.`
  const update = `UPDATE ${rollout.table.sql} SET ${quoteIdentifier(name)} = CASE ${rollout.discriminator.sql} ${branches.join(' ')} END`
  return `The table is locked until its values are set. Run BEGIN; ${addColumn}; ${update}; COMMIT.`
}
