import type { Sql } from '../../database/connect.ts'
import { runDdl } from '../../engine/ddl.ts'
import { OperationFailure } from '../../engine/errors.ts'
import { createFeedback } from '../../engine/feedback.ts'
import { createGoOn } from '../../engine/goOn.ts'
import type { Run } from '../../engine/kind.ts'
import { takeLane, type Lane } from '../../engine/lane.ts'
import { walk } from '../../engine/walk.ts'
import { literal } from '../../rollout/names.ts'
import type { Table } from '../../rollout/rollout.ts'
import { keepArchive as keepTriggers, makeArchive } from './changes.ts'
import type { Comparison } from './compare.ts'
import { compareAll } from './compareAll.ts'
import { copyRange, MEND_PARAMETER, mendRange, type Archiving } from './copy.ts'
import { archivedColumns, newManifest, readManifest, type ArchiveManifest } from './manifest.ts'
import { keptOf } from './names.ts'
import { createArchiveProgress, type ArchiveProgress } from './progress.ts'
import { archiveFault } from './verify.ts'

const FLUSHED = 20
const MENDINGS = 5

/** With the comparison of this run, which found no difference in a whole pass over all rows. */
export interface KeptArchive extends ArchiveManifest {
  readonly verified: NonNullable<ArchiveManifest['verified']>
}

/**
 * Keeps key and legacy columns of every row in a table of their own: made in batches, kept true by triggers from its
 * first row on, then compared row by row; what somebody wrote past the triggers is mended. Goes on where it stands after
 * a crash or a pause; the comparison begins anew then. Null: it was asked to stop.
 * @throws OperationFailure when it stays different, or a row cannot be kept
 */
export async function keepArchive(run: Run, table: Table): Promise<KeptArchive | null> {
  const { rollout, database, operation } = run
  const sql = database.engine({ purpose: `archive ${operation.id}`, searchPath: rollout.searchPath, ranges: true })
  try {
    const lane = await takeLane(database.state, operation.id, run.agent)
    await makeOnce(run, sql, table)
    const of: Archiving = { rollout, walked: { table: rollout.table, key: table.key }, kept: keptOf(rollout, table) }
    const progress = createArchiveProgress(run, table)
    const held = await copyAll(run, sql, of, lane, progress)
    if (held === null) return null
    for (let pass = 0; ; pass++) {
      const seen = await comparePass(run, sql, of, { lane: held, mends: pass < MENDINGS }, progress)
      if (seen === null) return null
      await run.reached('archive.compared')
      const at = await saveComparison(run, seen)
      await run.reached('archive.verified')
      if (seen.differing === 0) {
        const { rows, differing, checksum } = seen
        return { ...(await readManifest(database.state, rollout))!, verified: { at, rows, differing, checksum } }
      }
      if (pass === MENDINGS) {
        const sentence = `${seen.differing} rows of the archive are not what the table holds, though they were mended ${MENDINGS} times: something writes past its triggers. Find it, then prepare again.`
        throw new OperationFailure('archive', sentence)
      }
      await run.event('archive', `${seen.differing} rows of the archive were not what the table holds, and were mended`)
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** An archive of other columns, or of before a drop that was taken back, is of no use: a new one takes its place. */
async function makeOnce(run: Run, sql: Sql, table: Table): Promise<void> {
  const { rollout, database, operation } = run
  const manifest = await readManifest(database.state, rollout)
  const fault = await archiveFault(database.state, rollout, table)
  const same =
    manifest !== null &&
    manifest.droppedAt === null &&
    manifest.columns.length > 0 &&
    JSON.stringify(manifest.columns.map(shown)) === JSON.stringify(archivedColumns(rollout, table).map(shown))
  if (same && fault === null) return
  const [tableOf, triggers] = [makeArchive(rollout, table), keepTriggers(rollout, table)]
  const there = same && manifest.there
  const changes = there ? [triggers] : [tableOf, triggers]
  const objects = changes.map((change) => literal(change.object)).join(', ')
  await run.reached('archive.looked')
  await runDdl(run, sql, {
    what: there ? 'putting the triggers of the archive back' : 'making the archive',
    steps: [
      ...(there ? [] : [triggers.inverse, tableOf.inverse]),
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
        where rollout = ${literal(rollout.name)} and object in (${objects}) and reverted_at is null`,
      ...changes,
      ...(there ? [] : [newManifest(rollout, table, operation.id)]),
    ],
  })
  await run.reached('archive.made')
  await run.event(
    'ddl',
    there ? `the triggers of the archive are back: ${fault}` : `archive ${tableOf.object} is there`,
    {
      after: changes.map((change) => change.statement),
    },
  )
}

const shown = ({ name, type, key }: { name: string; type: string; key: boolean }): unknown => [name, type, key]

/** Copies what no batch has passed yet. Answers the lane as it stands then. */
async function copyAll(
  run: Run,
  sql: Sql,
  of: Archiving,
  claimed: Lane,
  progress: ArchiveProgress,
): Promise<Lane | null> {
  const { database, rollout } = run
  const manifest = await readManifest(database.state, rollout)
  if (manifest?.completedAt != null) return claimed
  run.step('keeping the legacy columns')
  let lane = claimed
  let batches = 0
  const finished = await walk({
    sql,
    walked: of.walked,
    from: lane.position,
    to: null,
    feedback: createFeedback(1_000, 50_000, 0.1),
    goOn: createGoOn(run, (wait) => run.step(wait === null ? 'keeping the legacy columns' : `waits: ${wait.sentence}`)),
    retried: progress.retried,
    async work(range) {
      await run.reached('archive.batch')
      const copied = await copyRange(sql, of, lane, range, ++batches % FLUSHED === 0)
      await run.reached('archive.copied')
      lane = { ...lane, position: range.high }
      progress.passed(range.rows, copied)
    },
    poison({ range, sqlstate, message }) {
      const sentence = `Row ${range.high.join(', ')} cannot be kept: ${message} (${sqlstate}). Mend it, then prepare again.`
      return Promise.reject(new OperationFailure('archive', sentence))
    },
  })
  if (!finished) return null
  await database.state`update sti.column_archive set completed_at = clock_timestamp()
    where rollout = ${rollout.name} and completed_at is null`
  await run.reached('archive.completed')
  await run.event('archive', 'every row is kept')
  return lane
}

/** Compares all rows, range by range, and mends what differs. Null: asked to stop. */
async function comparePass(
  run: Run,
  sql: Sql,
  of: Archiving,
  { lane, mends }: { lane: Lane; mends: boolean },
  progress: ArchiveProgress,
): Promise<Comparison | null> {
  progress.begin()
  run.step('comparing the archive')
  return await compareAll(sql, of, {
    goOn: createGoOn(run, (wait) => run.step(wait === null ? 'comparing the archive' : `waits: ${wait.sentence}`)),
    retried: progress.retried,
    passed: (rows) => progress.passed(rows, 0),
    async differs(rows) {
      if (!mends) return
      await run.reached('archive.mending')
      await mendRange(sql, of, lane, rows(MEND_PARAMETER))
      await run.reached('archive.mended')
    },
  })
}

/** Answers when that was, by the database's clock. @throws OperationFailure when the archive was taken away meanwhile */
async function saveComparison({ database, rollout }: Run, seen: Comparison): Promise<string> {
  const [row] = await database.state<{ at: Date }[]>`
    update sti.column_archive set verified_at = clock_timestamp(), verified_rows = ${seen.rows},
      verified_differing = ${seen.differing}, checksum = ${seen.checksum} where rollout = ${rollout.name}
    returning verified_at as at`
  if (row === undefined) throw new OperationFailure('archive', 'The archive was taken away meanwhile: prepare again.')
  return row.at.toISOString()
}
