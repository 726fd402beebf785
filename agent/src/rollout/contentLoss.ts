import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { constantText } from './constantText.ts'
import { columnOf, type RowSource } from './expression.ts'
import { quoteLiteral } from './identifiers.ts'
import type { Column, Rollout, Table } from './rollout.ts'
import { valueDiffersSql } from './valueComparison.ts'

/** How much of one legacy column its rows' types do not express. */
export interface ContentLoss {
  readonly column: string
  /** Rows whose value cannot be given back from the type alone: dropping the column loses it. */
  readonly lostRows: number
  /** Rows whose value a write of the row's own type would replace, since `restore` has another constant. */
  readonly replacedRows: number
}

export interface ContentLosses {
  readonly rows: number
  /** One entry per legacy column, in the order of the file. */
  readonly columns: readonly ContentLoss[]
}

/** Which type a row has: what its legacy columns imply, or what the discriminator says. */
type TypeSource = 'legacy columns' | 'discriminator'

/** Pages per statement, which bounds the age of its snapshot: 128 MiB with pages of 8 KiB. */
const PAGES_PER_STATEMENT = 16_384

/**
 * Counts, per legacy column, the rows whose content the type does not express. Reads the table in page ranges, so that no
 * snapshot gets old. A row that is updated meanwhile may be counted twice or not at all.
 * @throws the error of PostgreSQL if an expression of the file raises one
 */
export async function countContentLosses(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  source: TypeSource,
): Promise<ContentLosses> {
  const columns = rollout.legacyColumns.flatMap(
    (name) => table.columns.find((column) => column.name === name && !column.generated) ?? [],
  )
  const counts = columns.flatMap((column) => [
    countWhere(lostCondition(rollout, table, column, source)),
    countWhere(replacedCondition(rollout, column, source)),
  ])
  const relations = table.partitioned ? table.partitions.map((partition) => partition.sql) : [rollout.table.sql]
  const totals = new Array<number>(counts.length + 1).fill(0)
  for (const relation of relations) {
    const { pages } = onlyRow(
      await sql.unsafe<{ pages: number }[]>(
        `select /* sti */ (pg_relation_size(${quoteLiteral(relation)}::regclass) / current_setting('block_size')::int)::float8 as pages`,
      ),
    )
    for (let from = 0; from === 0 || from < pages; from += PAGES_PER_STATEMENT) {
      // The last range is open: rows may have been added since the size was read.
      const until = from + PAGES_PER_STATEMENT < pages ? ` and t.ctid < '(${from + PAGES_PER_STATEMENT},0)'::tid` : ''
      const { found } = onlyRow(
        await sql.unsafe<{ found: number[] }[]>(
          `select /* sti */ jsonb_build_array(count(*), ${counts.join(', ')}) as found from ${relation} as t
           where t.ctid >= '(${from},0)'::tid${until}`,
        ),
      )
      found.forEach((count, i) => void (totals[i]! += count))
    }
  }
  return {
    rows: totals[0]!,
    columns: columns.map(({ name }, i) => ({
      column: name,
      lostRows: totals[1 + 2 * i]!,
      replacedRows: totals[2 + 2 * i]!,
    })),
  }
}

/** SQL: a write of the row's own type would replace a legacy value, since `restore` has another constant. Never raises. */
export function restoreDiffersSql(rollout: Rollout, table: Table): string {
  const conditions = rollout.types.map((type) => {
    const differs = rollout.legacyColumns.flatMap((name) => {
      const column = table.columns.find((candidate) => candidate.name === name)
      return column === undefined
        ? []
        : [replacedBy(rollout, column, type)].filter((condition) => condition !== 'false')
    })
    return differs.length === 0 ? 'false' : `(${differs.join(' or ')})`
  })
  return conditions.every((condition) => condition === 'false') ? 'false' : rollout.caseByType('t', conditions, 'false')
}

const countWhere = (condition: string): string => (condition === 'false' ? '0' : `count(*) filter (where ${condition})`)

/** The value that the undo of the column drop gives a row of which only the type is known. */
function lostCondition(rollout: Rollout, table: Table, column: Column, source: TypeSource): string {
  const blank = blankRow(rollout, table)
  const none = columnOf(blank, column.name)
  const values = rollout.types.map((type) => {
    const value = rollout.restoreValues(type)?.get(column.name)
    return value === undefined ? none : `cast(${value.sql(blank)} as ${column.type})`
  })
  return valueDiffersSql(column, `t.${column.sql}`, caseByTypeOf(rollout, source, values, none))
}

function replacedCondition(rollout: Rollout, column: Column, source: TypeSource): string {
  const conditions = rollout.types.map((type) => replacedBy(rollout, column, type))
  return conditions.every((condition) => condition === 'false')
    ? 'false'
    : caseByTypeOf(rollout, source, conditions, 'false')
}

function replacedBy(rollout: Rollout, column: Column, type: string): string {
  const value = rollout.restoreValues(type)?.get(column.name)
  if (value?.kind !== 'constant') return 'false'
  return valueDiffersSql(column, `t.${column.sql}`, `cast(${value.sql('t')} as ${column.type})`)
}

function caseByTypeOf(rollout: Rollout, source: TypeSource, values: readonly string[], none: string): string {
  if (source === 'legacy columns') return rollout.caseByType('t', values, none)
  const { sql, dataType } = rollout.discriminator
  const branches = rollout.types.map(
    (type, i) => `when t.${sql} = ${quoteLiteral(type)}::${dataType} then ${values[i]}`,
  )
  return `case ${branches.join(' ')} else ${none} end`
}

/** A row of which only the type and the permanent columns are known: legacy columns have their default, if it is constant. */
export function blankRow(rollout: Rollout, table: Pick<Table, 'columns'>): RowSource {
  return (name) => {
    if (!rollout.legacyColumns.includes(name)) return columnOf('t', name)
    const column = table.columns.find((candidate) => candidate.name === name)!
    const constant = column.default === null || column.identity !== null ? null : (constantText(column.default) ?? null)
    return `cast(${constant === null ? 'null' : quoteLiteral(constant)} as ${column.type})`
  }
}
