import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pgBouncerProgram } from './pgBouncerProgram.ts'
import { freePort } from './server.ts'
import { waitFor } from './waitFor.ts'

/** The real PgBouncer in front of a PostgreSQL server. */
export interface PgBouncer {
  /** The URL of the same database through the pooler. */
  readonly url: string
  /** Writes these settings and reloads. */
  reload(settings: PoolerSettings): Promise<void>
  stop(): Promise<void>
}

export interface PoolerSettings {
  readonly pool_mode: 'session' | 'transaction' | 'statement'
  readonly server_reset_query?: string
  readonly server_round_robin?: 0 | 1
  readonly default_pool_size?: number
  readonly ignore_startup_parameters?: string
}

const UNPRIVILEGED_ID = 65_534

/** Starts PgBouncer on a free port. It refuses to run as root. */
export async function startPgBouncer(databaseUrl: string, settings: PoolerSettings): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-pgbouncer-'))
  await chmod(folder, 0o755)
  const target = new URL(databaseUrl)
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const write = async (next: PoolerSettings): Promise<void> => {
    const lines = Object.entries({ default_pool_size: 40, ...next }).map(([name, value]) => `${name} = ${value}`)
    await writeFile(
      file,
      `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
max_client_conn = 200
${lines.join('\n')}
`,
    )
  }
  await write(settings)
  await writeFile(join(folder, 'users.txt'), `"${target.username}" "${target.password}"\n`)
  const isRoot = process.getuid?.() === 0
  const child = spawn(pgBouncerProgram!, [file], {
    stdio: 'ignore',
    ...(isRoot && { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID }),
  })
  const ended = once(child, 'exit')
  await waitFor('PgBouncer listens', () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended with exit code ${child.exitCode}`)
    return accepts(port)
  })
  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${port}` }).href,
    async reload(next) {
      await write(next)
      child.kill('SIGHUP')
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
