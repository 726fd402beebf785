import { DUAL_WRITE_TRIGGER_NAMES } from '../dualWrite/deriveTrigger.ts'
import { readTableChecksum } from '../ddl/tableChecksum.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import { readTableStructure, describeStructureDifferences, type TableStructure } from '../ddl/tableStructure.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** The table compared with its state before expand. */
export interface TableOriginComparison {
  readonly structure: 'as before expand' | 'as before expand, except for changes by others' | 'unknown'
  /** Structure changes by others since expand, in words. */
  readonly differences: readonly string[]
  /** `written since` is not a fault: a rollback keeps what the application wrote. */
  readonly content: 'equal' | 'written since' | 'not compared'
  readonly checksum: string | null
  readonly checksumBefore: string | null
}

interface TableOriginRow {
  readonly structure: TableStructure
  readonly rows: bigint | null
  readonly checksum: string | null
}

/**
 * Compares structure and content with the state before expand. `complete`: everything created by STI was removed.
 * @throws OperationFailedError if `complete`, but an object created by STI remains
 */
export async function compareWithOrigin(run: RunContext, complete: boolean): Promise<TableOriginComparison> {
  const { rollout, database } = run
  const [before] = await database.state<TableOriginRow[]>`
    select structure, row_count as rows, checksum from sti.table_origin where rollout = ${rollout.name}`
  if (before === undefined)
    return { structure: 'unknown', differences: [], content: 'not compared', checksum: null, checksumBefore: null }
  const sql = database.engine({
    purpose: 'rollback',
    readOnly: true,
    statementTimeoutMs: 5_000,
    parallel: true,
  })
  try {
    const allDifferences = describeStructureDifferences(
      before.structure,
      await readTableStructure(sql, rollout.table.sql),
    )
    const leftovers = allDifferences.filter((difference) => isCreatedBySti(rollout, difference))
    if (complete && leftovers.length > 0) {
      throw new OperationFailedError(
        'structure',
        `The rollback left objects created by STI: ${leftovers.join('; ')}. Roll back the system.`,
      )
    }
    const differences = allDifferences.filter((difference) => !leftovers.includes(difference))
    const table = requireTable(await run.readFacts())
    const content =
      before.checksum === null ? null : await readTableChecksum(sql, rollout.table, table, rollout.discriminator.column)
    const equal = content !== null && content.checksum === before.checksum && BigInt(content.rows) === before.rows
    return {
      structure: differences.length === 0 ? 'as before expand' : 'as before expand, except for changes by others',
      differences,
      content: content === null ? 'not compared' : equal ? 'equal' : 'written since',
      checksum: content?.checksum ?? null,
      checksumBefore: before.checksum,
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function isCreatedBySti({ discriminator }: Rollout, difference: string): boolean {
  return (
    difference.startsWith(`column ${discriminator.column} `) ||
    DUAL_WRITE_TRIGGER_NAMES.some((name) => difference.startsWith(`trigger ${name} `)) ||
    /^(constraint|index) ([^ ]*\.)?"?sti_/.test(difference)
  )
}
