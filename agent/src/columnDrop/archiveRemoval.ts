import { ArchiveRemovalParameters, type ColumnArchive, type OperationPreview } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { errorCode } from '../database/errors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { exportToFolder } from './archive/exportToFolder.ts'
import { archiveTable } from './archive/archiveSql.ts'
import { removeArchive, removalStatements } from './archive/removeArchive.ts'

export interface ArchiveRemovalDependencies {
  /** Where archives are exported to; null: nowhere. */
  readonly archiveFolder: string | null
}

/** The end of the archive: once the drop has proved itself, or once it is given up. */
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
      const { rows, bytes } = archive.there ? await readArchiveSize(database, rollout) : { rows: 0, bytes: 0 }
      const knownRows = rows ?? archive.verified?.rows ?? null
      return {
        // Dropped, not written.
        rows: 0,
        estimatedSeconds: exportArchive && knownRows !== null ? Math.max(1, knownRows / EXPORT_ROWS_PER_SECOND) : 1,
        estimatedWalBytes: 0,
        statements: removalStatements(rollout, table),
        notes: archiveRemovalNotes(facts, archive, { exportArchive, rows, bytes }),
      } satisfies Partial<OperationPreview>
    },
    run: (run) => runArchiveRemoval(run, dependencies),
  }
}

/** Rows per second that a preview assumes. */
const EXPORT_ROWS_PER_SECOND = 50_000
/** How long a preview counts. */
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
      ? ['The agent knows no folder for archives: set STI_ARCHIVE_FOLDER, or leave --export-archive out.']
      : []),
    ...(exportArchive && !archive.there ? [`${archive.relation} is gone: there is nothing left to export.`] : []),
    ...(force || !isOnlyCopy(facts) ? [] : missingSafeguards(archive, exportArchive)),
  ]
}

/** Legacy columns are gone, one at least: what they held stands in the archive alone. */
const isOnlyCopy = ({ archive, droppedColumns }: RolloutFacts): boolean =>
  droppedColumns.length > 0 && archive?.there === true

function missingSafeguards({ exported, verified }: ColumnArchive, exportArchive: boolean): string[] {
  return [
    ...(exported === null && !exportArchive
      ? [
          'The archive was never exported, and it is all that is left of the legacy columns: export it first (--export-archive), or force it with a reason (--force --reason, an admin).',
        ]
      : []),
    ...(verified !== null && verified.differing === 0
      ? []
      : [
          'The archive was never found equal to the table: look what it holds, then force it with a reason (--force --reason, an admin).',
        ]),
  ]
}

/** Null rows: there are too many to count for a preview. */
async function readArchiveSize(database: Database, rollout: Rollout): Promise<{ rows: number | null; bytes: number }> {
  const archive = archiveTable(rollout).sql
  const sql = database.engine({ purpose: 'count archive', readOnly: true, statementTimeoutMs: COUNT_TIMEOUT_MS })
  try {
    const [size] = await sql<
      { bytes: number }[]
    >`select /* sti */ pg_total_relation_size(to_regclass(${archive}))::float8 as bytes`
    const counted = await sql
      .unsafe<{ rows: number }[]>(`select /* sti */ count(*)::float8 as rows from ${archive}`)
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
  const rows = request.rows === null ? 'more rows than were counted in time' : `${request.rows} rows`
  return [
    archive.there
      ? `${archive.relation} holds ${rows}; ${Math.ceil(request.bytes / 1e6)} MB of disk are free afterwards.`
      : `${archive.relation} is gone already: its triggers and what is known of it go.`,
    ...(onlyCopy
      ? [
          `This takes the way back: the legacy columns (${facts.droppedColumns.join(', ')}) are dropped, and the archive is what the migration down fills them from. Without it each row gets what restore of the rollout file says of its type, or the column’s default; what a row had of its own is lost.`,
        ]
      : [
          'The legacy columns are there, so nothing is lost. The triggers that keep the archive go: writes cost less again.',
        ]),
    ...(!onlyCopy && facts.columnDrop?.archived === true && facts.columnDrop.staleBecause === null
      ? ['The column drop that was prepared holds no more: its migration refuses to run until it is prepared again.']
      : []),
    exported === null
      ? 'It was never exported.'
      : `It was exported at ${exported.at}: ${exported.rows} rows in ${exported.path}, sha256 ${exported.sha256}.${
          onlyCopy && !request.exportArchive
            ? ' What was written between then and the drop is in the archive alone: --export-archive writes it anew first.'
            : ''
        }`,
    ...(request.exportArchive ? ['It is exported first, as it is then.'] : []),
    verified === null
      ? 'It was never compared with the table.'
      : `It was compared with the table at ${verified.at}: ${verified.rows} rows, ${verified.differing === 0 ? 'all the same' : `${verified.differing} not the same`}.`,
  ]
}

async function runArchiveRemoval(run: RunContext, { archiveFolder }: ArchiveRemovalDependencies): Promise<RunOutcome> {
  const { exportArchive } = ArchiveRemovalParameters.parse(run.operation.parameters)
  const facts = await run.readFacts()
  const result = { archive: archiveTable(run.rollout).sql }
  // Asked again after a crash: the transaction had committed.
  if (facts.archive === null) return { outcome: 'succeeded', result }
  const table = requireTable(facts)
  if (exportArchive && (await exportToFolder(run, table, archiveFolder!)) === null) return { outcome: 'stopped' }
  run.setStep('removing the archive')
  await run.failpoint('archive.removing')
  await removeArchive(run, table)
  await run.failpoint('archive.removed')
  return { outcome: 'succeeded', result }
}
