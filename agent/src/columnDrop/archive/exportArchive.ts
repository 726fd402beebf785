import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Database, Sql } from '../../database/connect.ts'
import { createBatchSizeController } from '../../engine/batchSizeController.ts'
import { rangeCondition, type KeyedTable } from '../../engine/keyRange.ts'
import { walkRanges } from '../../engine/rangeWalk.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { readManifest, type ArchiveExport } from './manifest.ts'
import { archiveTable } from './archiveSql.ts'

/** The maximum number of lines read ahead of the disk. */
const READ_BATCH_ROWS = 10_000
/** The rows may be personal data. */
const OWNER_ONLY = 0o600

/**
 * Writes the archive to a compressed file of JSON lines, one object per row in key order, and `<path>.manifest.json`
 * next to it: table, columns with their types, row count, and SHA-256 of the compressed file. Each range is read in
 * its own snapshot. The file appears at `path` only once it is complete. Returns null if the operation was asked to
 * stop.
 */
export async function exportArchive(
  database: Database,
  rollout: Rollout,
  table: Table,
  path: string,
  mayContinue: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<ArchiveExport | null> {
  const manifest = await readManifest(database.state, rollout)
  if (manifest === null) throw new Error(`rollout ${rollout.name} has no archive to export`)
  const sql = database.engine({
    purpose: 'export archive',
    readOnly: true,
    avoidSeqScan: true,
  })
  const unfinished = `${path}.unfinished`
  const written = { rows: 0, stopped: false }
  // The mode is that of a new file only: one that an interrupted export left may have another.
  await rm(unfinished, { force: true })
  try {
    await pipeline(
      readArchiveLines(sql, rollout, table, written, mayContinue),
      createGzip(),
      createWriteStream(unfinished, { mode: OWNER_ONLY }),
    )
    if (written.stopped) return null
    const { size } = await stat(unfinished)
    const exported: ArchiveExport = {
      path,
      at: new Date().toISOString(),
      rows: written.rows,
      bytes: size,
      sha256: await sha256(unfinished),
    }
    await rename(unfinished, path)
    const about = { rollout: rollout.name, table: rollout.table.sql, fileHash: rollout.hash, columns: manifest.columns }
    const manifestPath = `${path}.manifest.json`
    await rm(manifestPath, { force: true })
    await writeFile(manifestPath, `${JSON.stringify({ ...about, ...exported }, null, 2)}\n`, { mode: OWNER_ONLY })
    await database.state`
      update sti.column_archive set exported = ${database.state.json(exported)} where rollout = ${rollout.name}`
    return exported
  } finally {
    await rm(unfinished, { force: true })
    await sql.end({ timeout: 1 })
  }
}

async function* readArchiveLines(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  written: { rows: number; stopped: boolean },
  mayContinue: () => Promise<boolean>,
): AsyncGenerator<string> {
  const walked: KeyedTable = { table: archiveTable(rollout, table), key: table.key }
  let from: readonly string[] | null = null
  // One range per iteration, so that memory holds no more rows than the disk accepts.
  for (;;) {
    const page: { text: string; rows: number; high: readonly string[] | null } = { text: '', rows: 0, high: null }
    let turns = 0
    const done = await walkRanges({
      sql,
      target: walked,
      from,
      to: null,
      sizeController: createBatchSizeController(READ_BATCH_ROWS, READ_BATCH_ROWS, 1),
      onRetry: () => undefined,
      // Only STI writes the archive.
      lockWaits: null,
      async mayContinue() {
        if (turns++ > 0) return false
        written.stopped = !(await mayContinue())
        return !written.stopped
      },
      async processCountedRange(range) {
        const { condition, values } = rangeCondition(walked, range, 1)
        const rows = await sql.unsafe<{ line: string }[]>(
          `select /* sti */ to_jsonb(t)::text as line from ${walked.table.sql} as t where ${condition}
           order by ${table.key.map((column) => `t.${column.sql}`).join(', ')}`,
          values,
        )
        page.text = rows.map(({ line }) => `${line}\n`).join('')
        page.rows = rows.length
        page.high = range.high
      },
      handlePoisonRow: ({ message }) => Promise.reject(new Error(message)),
    })
    written.rows += page.rows
    if (page.text !== '') yield page.text
    if (done || written.stopped || page.high === null) return
    from = page.high
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}
