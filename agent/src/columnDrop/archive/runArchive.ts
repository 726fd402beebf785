import { isCitusTable } from '../../citus/readCitusTable.ts'
import type { Sql } from '../../database/connect.ts'
import { runDdl } from '../../ddl/transactional.ts'
import { OperationFailedError } from '../../kind/operationErrors.ts'
import { createBatchSizeController } from '../../engine/batchSizeController.ts'
import { createSingleWorkerGate } from '../../throttle/throttleGate.ts'
import type { RunContext } from '../../kind/kind.ts'
import { claimOperationLane, type Lane } from '../../engine/lane.ts'
import { createLockWaitReporter } from '../../engine/lockWaitReporter.ts'
import { walkRanges } from '../../engine/rangeWalk.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Table } from '../../rollout/rollout.ts'
import { archiveTriggersDdl as keepTriggers, archiveTableDdl } from './archiveDdl.ts'
import type { ArchiveComparison } from './compareRange.ts'
import { compareArchive } from './compareArchive.ts'
import { copyRange, REPAIR_FIRST_PARAMETER, repairRange, type ArchiveContext } from './archiveRange.ts'
import { archivedColumns, insertManifestSql, readManifest, type ArchiveManifest } from './manifest.ts'
import { archiveLayout, archiveTable } from './archiveSql.ts'
import { createArchiveProgress, type ArchiveProgress } from './archiveProgress.ts'
import { archiveFault } from './archiveFault.ts'

const CHECKPOINT_INTERVAL_BATCHES = 20
const MAX_REPAIR_PASSES = 5
/** Citus plans and commits each batch on every node, whatever its rows. It locks rows of the archive only. */
const SHARD_BATCH_SECONDS = 0.5

/** An archive whose comparison in this run passed over all rows without a difference. */
export interface VerifiedArchive extends ArchiveManifest {
  readonly verified: NonNullable<ArchiveManifest['verified']>
}

/**
 * Archives the key and the legacy columns of every row: copies them in batches while triggers keep the archive up to
 * date, then compares it row by row and repairs what was written past the triggers. Copying resumes at the checkpoint
 * after a crash or a pause; the comparison starts over. Returns null if the operation was asked to stop.
 * @throws OperationFailedError if a difference remains, or a row cannot be archived
 */
export async function runArchive(run: RunContext, table: Table): Promise<VerifiedArchive | null> {
  const { rollout, database, operation } = run
  const sql = database.engine({
    purpose: `archive ${operation.id}`,
    avoidSeqScan: true,
    inShards: table.citus !== null,
  })
  try {
    const lane = await claimOperationLane(database.state, operation.id, run.agent)
    await ensureArchive(run, sql, table)
    const context: ArchiveContext = {
      archive: archiveTable(rollout, table),
      walked: { table: rollout.table, key: table.key },
      layout: archiveLayout(rollout, table),
      inShards: table.citus !== null,
    }
    const progress = createArchiveProgress(run, table)
    const finishedLane = await copyAllRows(run, sql, context, lane, progress)
    if (finishedLane === null) return null
    for (let pass = 0; ; pass++) {
      const comparison = await runComparePass(
        run,
        sql,
        context,
        { lane: finishedLane, mends: pass < MAX_REPAIR_PASSES },
        progress,
      )
      if (comparison === null) return null
      await run.failpoint('archive.compared')
      const verifiedAt = await saveComparison(run, comparison)
      await run.failpoint('archive.verified')
      if (comparison.differing === 0) {
        const { rows, differing, checksum } = comparison
        return {
          ...(await readManifest(database.state, rollout))!,
          verified: { at: verifiedAt, rows, differing, checksum },
        }
      }
      if (pass === MAX_REPAIR_PASSES) {
        const sentence = `${comparison.differing} rows of the archive still differ from the table after ${MAX_REPAIR_PASSES} repairs: something writes past the archive’s triggers. Find it, then prepare again.`
        throw new OperationFailedError('archive', sentence)
      }
      await run.recordEvent(
        'archive',
        `${comparison.differing} rows of the archive differed from the table and were repaired`,
      )
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Replaces an archive of other columns, or one from before a drop that was undone. */
async function ensureArchive(run: RunContext, sql: Sql, table: Table): Promise<void> {
  const { rollout, database, operation } = run
  const manifest = await readManifest(database.state, rollout)
  const fault = await archiveFault(database.state, rollout, table)
  const [archiveTableChange, triggers] = [archiveTableDdl(rollout, table), keepTriggers(rollout, table)]
  const same =
    manifest !== null &&
    // Citus may manage the table since, or no longer: the archive is then another, or in the wrong place.
    manifest.relation === archiveTableChange.object &&
    (await isCitusTable(sql, manifest.relation)) === (table.citus !== null) &&
    manifest.droppedAt === null &&
    manifest.columns.length > 0 &&
    JSON.stringify(manifest.columns.map(columnSignature)) ===
      JSON.stringify(archivedColumns(rollout, table).map(columnSignature))
  if (same && fault === null) return
  const tableIsUsable = same && manifest.there
  const changes = tableIsUsable ? [triggers] : [archiveTableChange, triggers]
  await run.failpoint('archive.looked')
  await runDdl(run, sql, {
    description: tableIsUsable ? 'recreating the triggers of the archive' : 'creating the archive',
    steps: [
      ...(tableIsUsable
        ? []
        : [
            triggers.inverse,
            archiveTableChange.inverse,
            ...(manifest === null ? [] : [`drop table if exists ${manifest.relation}`]),
          ]),
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
        where rollout = ${quoteLiteral(rollout.name)} and kind = 'archive' ${tableIsUsable ? `and object = ${quoteLiteral(triggers.object)}` : ''} and reverted_at is null`,
      ...changes,
      ...(tableIsUsable ? [] : [insertManifestSql(rollout, table, operation.id)]),
    ],
  })
  await run.failpoint('archive.made')
  await run.recordEvent(
    'ddl',
    tableIsUsable ? `recreated the triggers of the archive: ${fault}` : `created archive ${archiveTableChange.object}`,
    {
      after: changes.map((change) => change.statement),
    },
  )
}

const columnSignature = ({ name, type, key }: { name: string; type: string; key: boolean }): unknown => [
  name,
  type,
  key,
]

/** Copies the rows after the checkpoint. Returns the lane with its new position. */
async function copyAllRows(
  run: RunContext,
  sql: Sql,
  context: ArchiveContext,
  claimed: Lane,
  progress: ArchiveProgress,
): Promise<Lane | null> {
  const { database, rollout } = run
  const manifest = await readManifest(database.state, rollout)
  if (manifest?.completedAt != null) return claimed
  run.setStep('archiving the legacy columns')
  let lane = claimed
  let batches = 0
  const finished = await walkRanges({
    sql,
    target: context.walked,
    from: lane.position,
    to: null,
    sizeController: createBatchSizeController(1_000, 50_000, context.inShards ? SHARD_BATCH_SECONDS : 0.1),
    mayContinue: createSingleWorkerGate(run, 'archiving the legacy columns'),
    onRetry: progress.addRetry,
    lockWaits: createLockWaitReporter(run, 'archiving the legacy columns'),
    async processCountedRange(range) {
      await run.failpoint('archive.batch')
      const copied = await copyRange(sql, context, lane, range, ++batches % CHECKPOINT_INTERVAL_BATCHES === 0)
      await run.failpoint('archive.copied')
      lane = { ...lane, position: range.high }
      progress.addRows(range.rows, copied)
    },
    handlePoisonRow({ range, sqlstate, message }) {
      const sentence = `Row ${range.high.join(', ')} cannot be archived: ${message} (${sqlstate}). Fix the row, then prepare again.`
      return Promise.reject(new OperationFailedError('archive', sentence))
    },
  })
  if (!finished) return null
  await database.state`update sti.column_archive set completed_at = clock_timestamp()
    where rollout = ${rollout.name} and completed_at is null`
  await run.failpoint('archive.completed')
  await run.recordEvent('archive', 'archived every row')
  return lane
}

/** Compares all rows, range by range, and repairs differences. Returns null if the operation was asked to stop. */
async function runComparePass(
  run: RunContext,
  sql: Sql,
  context: ArchiveContext,
  { lane, mends }: { lane: Lane; mends: boolean },
  progress: ArchiveProgress,
): Promise<ArchiveComparison | null> {
  progress.reset()
  run.setStep('comparing the archive')
  return await compareArchive(sql, context, {
    mayContinue: createSingleWorkerGate(run, 'comparing the archive'),
    retried: progress.addRetry,
    lockWaits: createLockWaitReporter(run, 'comparing the archive'),
    onCompared: (rows) => progress.addRows(rows, 0),
    async onDifference(rows) {
      if (!mends) return
      await run.failpoint('archive.mending')
      await repairRange(sql, context, lane, rows(REPAIR_FIRST_PARAMETER))
      await run.failpoint('archive.mended')
    },
  })
}

/** Returns the time by the database's clock. @throws OperationFailedError if the archive was removed in the meantime */
async function saveComparison({ database, rollout }: RunContext, comparison: ArchiveComparison): Promise<string> {
  const [row] = await database.state<{ at: Date }[]>`
    update sti.column_archive set verified_at = clock_timestamp(), verified_rows = ${comparison.rows},
      differing_rows = ${comparison.differing}, checksum = ${comparison.checksum} where rollout = ${rollout.name}
    returning verified_at as at`
  if (row === undefined)
    throw new OperationFailedError('archive', 'The archive was removed in the meantime. Prepare again.')
  return row.at.toISOString()
}
