import { agentActor } from '../../contract/index.ts'
import { runDdl } from '../../ddl/transactional.ts'
import type { RunContext } from '../../kind/kind.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { dropArchiveTriggersSql } from './archiveDdl.ts'
import { readManifest, type ArchiveManifest } from './manifest.ts'

/** Drops the triggers first, since the application's writes fire them, then the table. */
export function removalStatements(
  rollout: Rollout,
  table: Table,
  { relation }: Pick<ArchiveManifest, 'relation'>,
): string[] {
  return [...dropArchiveTriggersSql(rollout, table), `drop table if exists ${relation}`]
}

/**
 * Removes the archive, its triggers, and its record for good; the event keeps the record. This is one transaction:
 * after a crash, either everything is left to do or nothing.
 */
export async function removeArchive(run: RunContext, table: Table): Promise<void> {
  const { rollout, database, operation } = run
  const manifest = await readManifest(database.state, rollout)
  if (manifest === null) return
  const statements = removalStatements(rollout, table, manifest)
  const json = (value: unknown): string => `${quoteLiteral(JSON.stringify(value))}::jsonb`
  const reason = operation.reason === null ? 'null' : quoteLiteral(operation.reason)
  const sql = database.engine({ purpose: 'archive' })
  try {
    await runDdl(run, sql, {
      description: 'removing the archive',
      steps: [
        ...statements,
        `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
          where rollout = ${quoteLiteral(rollout.name)} and kind = 'archive' and reverted_at is null`,
        `delete from sti.column_archive where rollout = ${quoteLiteral(rollout.name)}`,
        `select sti.append_event(${operation.id}, ${quoteLiteral(rollout.name)}, ${json(agentActor(run.agent))}, 'archive',
          ${quoteLiteral(`removed archive ${manifest.relation} and its triggers`)}, ${reason},
          ${json({ archive: manifest })}, ${json(statements)})`,
      ],
    })
  } finally {
    await sql.end({ timeout: 1 })
  }
}
