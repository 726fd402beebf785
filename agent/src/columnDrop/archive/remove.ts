import { agentActor } from '../../contract/index.ts'
import { runDdl } from '../../engine/ddl.ts'
import type { Run } from '../../engine/kind.ts'
import { literal } from '../../rollout/names.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { dropTriggers } from './changes.ts'
import { readManifest } from './manifest.ts'
import { archiveTable } from './names.ts'

/** The triggers first, since writes of the application come by them, then the table. */
export function removing(rollout: Rollout, table: Table): string[] {
  const relations = [rollout.table.sql, ...table.partitions.map((partition) => partition.sql)]
  return [...dropTriggers(rollout, relations), `drop table if exists ${archiveTable(rollout).sql}`]
}

/**
 * Takes archive and triggers away for good, and what is known of it; that stands in the event. All of it is one
 * transaction: asked again after a crash there is either all of it or nothing left to do.
 */
export async function removeArchive(run: Run, table: Table): Promise<void> {
  const { rollout, database, operation } = run
  const manifest = await readManifest(database.state, rollout)
  if (manifest === null) return
  const statements = removing(rollout, table)
  const json = (value: unknown): string => `${literal(JSON.stringify(value))}::jsonb`
  const reason = operation.reason === null ? 'null' : literal(operation.reason)
  const sql = database.engine({ purpose: 'archive', searchPath: rollout.searchPath })
  try {
    await runDdl(run, sql, {
      what: 'removing the archive',
      steps: [
        ...statements,
        `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
          where rollout = ${literal(rollout.name)} and kind = 'archive' and reverted_at is null`,
        `delete from sti.column_archive where rollout = ${literal(rollout.name)}`,
        `select sti.append_event(${operation.id}, ${literal(rollout.name)}, ${json(agentActor(run.agent))}, 'archive',
          ${literal(`archive ${manifest.relation} is removed, with its triggers`)}, ${reason},
          ${json({ archive: manifest })}, ${json(statements)})`,
      ],
    })
  } finally {
    await sql.end({ timeout: 1 })
  }
}
