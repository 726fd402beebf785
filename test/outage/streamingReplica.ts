import { execFile } from 'node:child_process'
import { chown, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { createEmbeddedPostgres, freePort, type PostgresServer } from '../support/server.ts'
import { waitFor } from '../support/waitFor.ts'

const run = promisify(execFile)

export interface StreamingReplica {
  readonly url: string
  readonly sql: postgres.Sql
  /** Sends a signal to the process that receives the WAL. */
  signalReceiver(signal: NodeJS.Signals): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a second server that streams from this one, from a copy of its files between backup start and stop. `flags`:
 * the primary's options that a standby must also have.
 */
export async function startStreamingReplica(
  primary: PostgresServer,
  flags: readonly string[] = [],
): Promise<StreamingReplica> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-replica-'))
  const data = join(folder, 'data')
  const source = join(primary.folder, 'data')
  const { uid, gid } = await stat(source)
  // A backup must start and stop in the same session.
  const session = postgres(primary.url, { max: 1, onnotice: () => undefined })
  await session`select pg_backup_start('replica', true)`
  await cp(source, data, { recursive: true, filter: (path) => !/postmaster\.(pid|opts)$/.test(path) })
  const [label] = await session<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`
  await session.end()
  await writeFile(join(data, 'backup_label'), label!.labelfile)
  await writeFile(join(data, 'standby.signal'), '')
  await run('chown', ['-R', `${uid}:${gid}`, folder])
  await chown(folder, uid, gid)
  const port = await freePort()
  const primaryUrl = new URL(primary.url)
  const connection = `host=127.0.0.1 port=${primaryUrl.port} user=postgres password=postgres application_name=replica`
  const embedded = createEmbeddedPostgres(data, port, [
    ...['-c', 'hot_standby=on', '-c', 'wal_receiver_status_interval=1', '-c', `primary_conninfo=${connection}`],
    ...flags,
  ])
  // It waits for a server that accepts writes, which the replica does after its promotion.
  embedded.start().catch(() => undefined)
  const url = primary.url.replace(`:${primaryUrl.port}/`, `:${port}/`)
  const sql = postgres(url, { max: 1, onnotice: () => undefined, backoff: () => 0.1 })
  await waitFor('the replica accepts connections', () => sql`select 1`, { intervalMs: 100, ignoreErrors: true })
  return {
    url,
    sql,
    async signalReceiver(signal) {
      const [receiver] = await sql<
        { pid: number }[]
      >`select pid from pg_stat_activity where backend_type = 'walreceiver'`
      process.kill(receiver!.pid, signal)
    },
    async stop() {
      await sql.end({ timeout: 1 })
      const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '0')).split('\n')[0])
      if (pid > 0) {
        process.kill(pid, 'SIGINT')
        await embedded.stop()
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
