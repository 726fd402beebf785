import { formatQuantity, formatCount, formatBytes } from '../format/format.ts'
import { isCitusTable } from '../citus/readCitusTable.ts'
import { ArchiveRemovalParameters, type ColumnArchive, type OperationPreview } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { errorCode } from '../database/errors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { exportToFolder } from './archive/exportToFolder.ts'
import { archiveTable } from './archive/archiveSql.ts'
import { removeArchive, removalStatements } from './archive/removeArchive.ts'

export interface ArchiveRemovalDependencies {
  /** The folder that archives are exported to. Null: none is configured. */
  readonly archiveFolder: string | null
}

/** Removes the archive, either after a successful drop or when the drop is abandoned. */
export function createArchiveRemoval(dependencies: ArchiveRemovalDependencies): OperationDefinition<'archive-removal'> {
  return {
    kind: 'archive-removal',
    // Its triggers are on the table.
    refusals: (facts, parameters) =>
      archiveRemovalRefusals(facts, ArchiveRemovalParameters.parse(parameters), dependencies),
    async preview({ database, rollout, table, facts }, parameters) {
      const { exportArchive } = ArchiveRemovalParameters.parse(parameters)
      const { archive } = facts
      if (archive === null) return {}
      const { rows, bytes } = archive.there ? await readArchiveSize(database, archive) : { rows: 0, bytes: 0 }
      const knownRows = rows ?? archive.verified?.rows ?? null
      return {
        // Dropped, not written.
        rows: 0,
        estimatedSeconds: exportArchive && knownRows !== null ? Math.max(1, knownRows / EXPORT_ROWS_PER_SECOND) : 1,
        estimatedWalBytes: 0,
        statements: removalStatements(rollout, table, archive),
        notes: archiveRemovalNotes(facts, archive, { exportArchive, rows, bytes }),
      } satisfies Partial<OperationPreview>
    },
    run: (run) => runArchiveRemoval(run, dependencies),
  }
}

/** The export rate that a preview assumes. */
const EXPORT_ROWS_PER_SECOND = 50_000
/** The time that a preview spends on counting rows. */
const COUNT_TIMEOUT_MS = 2_000

function archiveRemovalRefusals(
  facts: RolloutFacts,
  { exportArchive, force }: ArchiveRemovalParameters,
  { archiveFolder }: ArchiveRemovalDependencies,
): string[] {
  const { archive, blockers, table } = facts
  if (archive === null) return [...blockers, 'There is no archive of legacy columns.']
  return [
    ...blockers,
    ...(table === null && blockers.length === 0 ? ['The table could not be read.'] : []),
    ...(exportArchive && archiveFolder === null
      ? ['The agent has no folder for archives. Set STI_ARCHIVE_FOLDER, or omit --export-archive.']
      : []),
    ...(exportArchive && !archive.there
      ? [`${archive.relation} no longer exists, so there is nothing to export.`]
      : []),
    ...(force || !isOnlyCopy(facts) ? [] : missingSafeguards(archive, exportArchive)),
  ]
}

/** At least one legacy column was dropped, so the archive holds the only copy of its values. */
const isOnlyCopy = ({ archive, droppedColumns }: RolloutFacts): boolean =>
  droppedColumns.length > 0 && archive?.there === true

function missingSafeguards({ exported, verified }: ColumnArchive, exportArchive: boolean): string[] {
  return [
    ...(exported === null && !exportArchive
      ? [
          'The archive was never exported, and it holds the only copy of the legacy columns. Export it first (--export-archive), or force the removal with a reason (--force --reason; requires an admin).',
        ]
      : []),
    ...(verified !== null && verified.differing === 0
      ? []
      : [
          'No comparison found the archive equal to the table. Check its content, then force the removal with a reason (--force --reason; requires an admin).',
        ]),
  ]
}

/** `rows` is null if there are too many rows to count for a preview. */
async function readArchiveSize(
  database: Database,
  { relation }: ColumnArchive,
): Promise<{ rows: number | null; bytes: number }> {
  const sql = database.engine({ purpose: 'count archive', readOnly: true, statementTimeoutMs: COUNT_TIMEOUT_MS })
  try {
    const [size] = await sql<
      { bytes: number }[]
    >`select /* sti */ ${sql.unsafe((await isCitusTable(sql, relation)) ? 'citus_total_relation_size' : 'pg_total_relation_size')}(to_regclass(${relation}))::float8 as bytes`
    const counted = await sql
      .unsafe<{ rows: number }[]>(`select /* sti */ count(*)::float8 as rows from ${relation}`)
      .catch((error: unknown) => {
        if (errorCode(error) === '57014') return null
        throw error
      })
    return { rows: counted?.[0]?.rows ?? null, bytes: size?.bytes ?? 0 }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function archiveRemovalNotes(
  facts: RolloutFacts,
  archive: ColumnArchive,
  request: { exportArchive: boolean; rows: number | null; bytes: number },
): string[] {
  const { exported, verified } = archive
  const onlyCopy = isOnlyCopy(facts)
  const rows = request.rows === null ? 'more rows than could be counted in time' : formatQuantity(request.rows, 'row')
  return [
    archive.there
      ? `${archive.relation} has ${rows}; removing it frees ${formatBytes(request.bytes)} of disk space.`
      : `${archive.relation} no longer exists. This removes its triggers and its record.`,
    ...(onlyCopy
      ? [
          `This removes the rollback option: the legacy columns (${facts.droppedColumns.join(', ')}) are dropped, and the down migration fills them from the archive. Without the archive, each row gets the values that restore in the rollout file sets for its type, or the column’s default. Values of individual rows are lost.`,
        ]
      : [
          'The legacy columns still exist, so no data is lost. The archive’s triggers are dropped, which makes writes faster.',
        ]),
    ...(!onlyCopy && facts.columnDrop?.archived === true && facts.columnDrop.staleBecause === null
      ? ['The prepared column drop is no longer valid: its migration refuses to run until you prepare the drop again.']
      : []),
    exported === null
      ? 'The archive was never exported.'
      : `The archive was exported at ${exported.at}: ${formatQuantity(exported.rows, 'row')} in ${exported.path}, SHA-256 ${exported.sha256}.${
          onlyCopy && !request.exportArchive
            ? ' Only the archive has the writes between then and the drop: --export-archive exports it again first.'
            : ''
        }`,
    ...(request.exportArchive ? ['The archive is exported first, in its current state.'] : []),
    verified === null
      ? 'The archive was never compared with the table.'
      : `The archive was compared with the table at ${verified.at}: ${formatQuantity(verified.rows, 'row')}, ${verified.differing === 0 ? 'no differences' : `${formatCount(verified.differing)} different`}.`,
  ]
}

async function runArchiveRemoval(run: RunContext, { archiveFolder }: ArchiveRemovalDependencies): Promise<RunOutcome> {
  const { exportArchive } = ArchiveRemovalParameters.parse(run.operation.parameters)
  const facts = await run.readFacts()
  const result = { archive: facts.archive?.relation ?? archiveTable(run.rollout, facts.table ?? { citus: null }).sql }
  // Run again after a crash: the transaction had committed.
  if (facts.archive === null) return { outcome: 'succeeded', result }
  const table = requireTable(facts)
  if (exportArchive && (await exportToFolder(run, table, archiveFolder!)) === null) return { outcome: 'stopped' }
  run.setStep('removing the archive')
  await run.failpoint('archive.removing')
  await removeArchive(run, table)
  await run.failpoint('archive.removed')
  return { outcome: 'succeeded', result }
}
