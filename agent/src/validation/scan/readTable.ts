import { bothWays } from '../../dualWrite/verify.ts'
import type { Run } from '../../engine/kind.ts'
import { createGoOn } from '../../engine/goOn.ts'
import { createRate } from '../../engine/rate.ts'
import { rowProgress } from '../../engine/rowProgress.ts'
import type { Key } from '../../engine/keys.ts'
import type { Table } from '../../rollout/rollout.ts'
import { saveReading, type Checkpoint } from './checkpoint.ts'
import type { Reading } from './reading.ts'
import { ReplicaLost, scan, scanned, type Scan } from './scan.ts'
import { settle } from './settle.ts'
import { openSource } from './source.ts'

const READING = 'reading every row'
/** After a crash so much is read again at most. */
const SAVE_MS = 2_000

/** Reads the table once, from where `checkpoint` stands. Null: asked to stop; what is read is kept. */
export async function readTable(run: Run, table: Table, checkpoint: Checkpoint): Promise<Scan | null> {
  const { rollout } = run
  const keepsTypes = rollout.file.restore === 'none' && (await bothWays(run.database.state, rollout, table))
  const reading: Reading = { rollout, table, walked: { table: rollout.table, key: table.key }, keepsTypes }
  const { tally } = checkpoint
  const goOn = createGoOn(run, (wait) => run.step(wait === null ? READING : `waits: ${wait.sentence}`))
  const report = createReport(run, table, tally.rows)
  let at: Key | null = checkpoint.position
  let savedAt = performance.now()
  const save = async (finished: boolean): Promise<void> => {
    await saveReading(run, { ...checkpoint, position: at, finished })
    savedAt = performance.now()
    await run.reached('validation.read')
  }
  const read = async (useReplica: boolean): Promise<boolean | 'primary'> => {
    const source = await openSource(run, useReplica)
    try {
      const { sql, replica } = source
      const job = { sql, reading, from: at, tally, replica, passed: report.passed, retried: report.retried }
      usedReplica ||= replica
      return await scan({
        ...job,
        async goOn(position) {
          at = position
          if (!(await goOn())) {
            await save(false)
            return false
          }
          if (performance.now() - savedAt >= SAVE_MS) await save(false)
          return true
        },
      })
    } catch (error) {
      if (!(error instanceof ReplicaLost)) throw error
      await run.event('validation', 'the replica is away or cancels what it is asked: reads on from the primary')
      return 'primary'
    } finally {
      await source.sql.end({ timeout: 1 })
    }
  }
  let usedReplica = false
  if (!checkpoint.finished) {
    const first = await read(true)
    const done = first === 'primary' ? await read(false) : first
    if (done !== true) return null
    await save(true)
  }
  const primary = await openSource(run, false)
  try {
    // What is looked at again changes the sums, and must not be kept as if it were only read.
    const settled = structuredClone(tally)
    const wrong = await settle(primary.sql, reading, settled, goOn)
    if (wrong === null) return null
    report.done(settled.rows)
    return scanned(reading, settled, wrong, usedReplica)
  } finally {
    await primary.sql.end({ timeout: 1 })
  }
}

function createReport(run: Run, table: Table, before: number) {
  const rate = createRate()
  const retries: Record<string, number> = {}
  let rows = before
  const tell = (estimated: number | null): void =>
    run.progress(rowProgress({ passed: rows, estimated, perSecond: rate.perSecond(), retries }))
  return {
    passed(more: number) {
      rows += more
      rate.add(more)
      tell(table.estimatedRows)
    },
    retried(sqlstate: string) {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    },
    done(total: number) {
      rows = total
      tell(total)
    },
  }
}
