import type { Sql } from '../database/connect.ts'
import { DdlStopped } from './ddl.ts'
import { codeOf, isAway } from './errors.ts'
import { blockersOf } from './holders.ts'
import type { Run } from './kind.ts'
import { FenceLost } from './lane.ts'

const LOOK_MS = 500

/** For what cannot run in a transaction that begins with the fence. @throws FenceLost when another agent holds the operation */
export async function demandClaim({ claim, database, asked }: Run): Promise<void> {
  if (asked() !== 'go-on') throw new DdlStopped()
  const held = await database.state`
    select from sti.operation where id = ${claim.id} and epoch = ${claim.epoch} and claim = ${claim.claim}`
  if (held.length === 0) throw new FenceLost('another agent has claimed this operation')
}

/**
 * Runs a statement that may take long and stands alone (CONCURRENTLY, VALIDATE, ANALYZE): names whom it waits for, and
 * cancels it when the operation is asked to stop. `sql` is a connection of its own.
 * @throws DdlStopped when it was cancelled for that
 */
export async function runAlone(run: Run, sql: Sql, what: string, statement: string): Promise<void> {
  await demandClaim(run)
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  let stopping = false
  let told = ''
  const look = async (): Promise<void> => {
    if (run.asked() !== 'go-on') {
      stopping = true
      await run.database.state`select pg_cancel_backend(${backend!.pid})`
      return
    }
    const blockers = await blockersOf(run.database.state, backend!.pid)
    if (blockers !== '' && blockers !== told) await run.event('ddl', `${what} waits for ${blockers}`)
    told = blockers
  }
  let looking = null as Promise<void> | null
  const timer = setInterval(() => {
    looking ??= look()
      // Without the database there is nobody to name and nothing to cancel.
      .catch((error: unknown) => run.step(isAway(error) ? what : `${what} (who holds it is unknown: ${codeOf(error)})`))
      .finally(() => {
        looking = null
      })
  }, LOOK_MS)
  try {
    await run.reached('alone.sending')
    await sql.unsafe(statement)
    await run.reached('alone.done')
  } catch (error) {
    if (stopping && codeOf(error) === '57014') throw new DdlStopped()
    throw error
  } finally {
    clearInterval(timer)
    await looking
  }
}
