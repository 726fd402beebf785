import type { Sql } from '../database/connect.ts'
import { formatCount } from '../format/format.ts'
import { checkAgainstTable } from './checkAgainstTable.ts'
import { findTables } from './findTables.ts'
import type { QualifiedName } from './identifiers.ts'
import { inspectTable, UnsupportedTableError } from './inspectTable.ts'
import type { RolloutGroup } from './rolloutGroup.ts'
import { describeDifference, findDifferences, groupByShape, listTables, readTableShapes } from './tableDifferences.ts'

/** Kinds of tables that are checked; each takes PostgreSQL some 100 ms. */
const MAX_CHECKED_SHAPES = 20

export interface GroupCheck {
  readonly tables: readonly QualifiedName[]
  /** How many kinds of tables there are: tables of one kind are alike in everything that matters. */
  readonly kinds: number
  /** Sentences about tables that differ; not every difference is a fault. */
  readonly differences: readonly string[]
  readonly faults: readonly string[]
}

/** Checks a file against each kind of table that it names. Throws only if the database cannot be queried. */
export async function checkGroup(sql: Sql, group: RolloutGroup): Promise<GroupCheck> {
  const found = await findTables(sql, group)
  const shapes = await readTableShapes(sql, group, found.tables)
  const kinds = groupByShape(shapes)
  const faults = [...found.faults]
  for (const kind of kinds.slice(0, MAX_CHECKED_SHAPES)) {
    const { table } = kind[0]!
    const ofKind = await checkOne(sql, group, table)
    const others =
      kind.length === 1
        ? ''
        : ` (and in ${formatCount(kind.length - 1)} like it: ${listTables(kind.slice(1).map((other) => other.table))})`
    faults.push(...ofKind.map((fault) => `${table.sql}${others}: ${fault}`))
  }
  if (kinds.length > MAX_CHECKED_SHAPES)
    faults.push(
      `The tables are of ${formatCount(kinds.length)} kinds, and only the ${MAX_CHECKED_SHAPES} most frequent were checked: see the differences, and correct the tables or write several files (${group.locate(['table'])}).`,
    )
  const differences = findDifferences(shapes).map((difference) => describeDifference(difference, shapes.length))
  return { tables: found.tables, kinds: kinds.length, differences, faults }
}

async function checkOne(sql: Sql, group: RolloutGroup, table: QualifiedName): Promise<string[]> {
  const rollout = group.child(table)
  try {
    return await checkAgainstTable(sql, rollout, await inspectTable(sql, rollout))
  } catch (error) {
    if (error instanceof UnsupportedTableError) return [error.message]
    throw error
  }
}
