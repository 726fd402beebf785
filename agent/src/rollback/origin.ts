import { TRIGGER_NAME } from '../dualWrite/trigger.ts'
import { contentOf } from '../engine/content.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { Run } from '../engine/kind.ts'
import { readStructure, structureDifferences, type Structure } from '../engine/structure.ts'
import { demandTable } from '../engine/table.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** How the table compares with what it was before expand. */
export interface Origin {
  readonly structure: 'as before expand' | 'as before expand, but for what others changed' | 'not known'
  /** What others have changed of the structure since, in words. */
  readonly differences: readonly string[]
  /** `written since` says nothing bad: whoever wrote keeps what was written. */
  readonly content: 'equal' | 'written since' | 'not summed'
  readonly checksum: string | null
  readonly checksumBefore: string | null
}

interface Row {
  readonly structure: Structure
  readonly rows: bigint | null
  readonly checksum: string | null
}

/**
 * Compares structure and content with what expand found. `complete`: all that is ours was taken back.
 * @throws OperationFailure when something of ours is left all the same
 */
export async function compareWithOrigin(run: Run, complete: boolean): Promise<Origin> {
  const { rollout, database } = run
  const [before] = await database.state<Row[]>`
    select structure, rows, checksum from sti.table_origin where rollout = ${rollout.name}`
  if (before === undefined)
    return { structure: 'not known', differences: [], content: 'not summed', checksum: null, checksumBefore: null }
  const sql = database.engine({
    purpose: 'rollback',
    searchPath: rollout.searchPath,
    readOnly: true,
    statementTimeoutMs: 5_000,
    parallel: true,
  })
  try {
    const all = structureDifferences(before.structure, await readStructure(sql, rollout.table.sql))
    const left = all.filter((difference) => isOurs(rollout, difference))
    if (complete && left.length > 0) {
      throw new OperationFailure('structure', `Something of ours is left: ${left.join('; ')}. Roll back the system.`)
    }
    const differences = all.filter((difference) => !left.includes(difference))
    const table = demandTable(await run.facts())
    const now =
      before.checksum === null ? null : await contentOf(sql, rollout.table, table, rollout.discriminator.column)
    const equal = now !== null && now.checksum === before.checksum && BigInt(now.rows) === before.rows
    return {
      structure: differences.length === 0 ? 'as before expand' : 'as before expand, but for what others changed',
      differences,
      content: now === null ? 'not summed' : equal ? 'equal' : 'written since',
      checksum: now?.checksum ?? null,
      checksumBefore: before.checksum,
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function isOurs({ discriminator }: Rollout, difference: string): boolean {
  return (
    difference.startsWith(`column ${discriminator.column} `) ||
    difference.startsWith(`trigger ${TRIGGER_NAME} `) ||
    /^(constraint|index) ([^ ]*\.)?"?sti_/.test(difference)
  )
}
