import { agentActor } from '../../contract/index.ts'
import { runDdl } from '../../ddl/transactional.ts'
import type { RunContext } from '../../kind/kind.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { dropArchiveTriggersSql } from './archiveDdl.ts'
import { readManifest } from './manifest.ts'
import { archiveTable } from './archiveSql.ts'

/** The triggers first, since writes of the application come by them, then the table. */
export function removalStatements(rollout: Rollout, table: Table): string[] {
  const relations = [rollout.table.sql, ...table.partitions.map((partition) => partition.sql)]
  return [...dropArchiveTriggersSql(rollout, relations), `drop table if exists ${archiveTable(rollout).sql}`]
}

/**
 * Takes archive and triggers away for good, and what is known of it; that stands in the event. All of it is one
 * transaction: asked again after a crash there is either all of it or nothing left to do.
 */
export async function removeArchive(run: RunContext, table: Table): Promise<void> {
  const { rollout, database, operation } = run
  const manifest = await readManifest(database.state, rollout)
  if (manifest === null) return
  const statements = removalStatements(rollout, table)
  const json = (value: unknown): string => `${quoteLiteral(JSON.stringify(value))}::jsonb`
  const reason = operation.reason === null ? 'null' : quoteLiteral(operation.reason)
  const sql = database.engine({ purpose: 'archive', searchPath: rollout.searchPath })
  try {
    await runDdl(run, sql, {
      description: 'removing the archive',
      steps: [
        ...statements,
        `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
          where rollout = ${quoteLiteral(rollout.name)} and kind = 'archive' and reverted_at is null`,
        `delete from sti.column_archive where rollout = ${quoteLiteral(rollout.name)}`,
        `select sti.append_event(${operation.id}, ${quoteLiteral(rollout.name)}, ${json(agentActor(run.agent))}, 'archive',
          ${quoteLiteral(`archive ${manifest.relation} is removed, with its triggers`)}, ${reason},
          ${json({ archive: manifest })}, ${json(statements)})`,
      ],
    })
  } finally {
    await sql.end({ timeout: 1 })
  }
}
