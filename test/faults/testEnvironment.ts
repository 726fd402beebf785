import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { withAgent, type TestAgentClient } from '../support/agent.ts'
import { startPostgres, type PostgresServer } from '../support/server.ts'
import { startFaultyApplication, type FaultyApplication } from './faultyApplication.ts'
import type { FaultPlace } from './fault.ts'
import { startSmallDiskAgent } from './smallDiskAgent.ts'
import { waitFor } from '../support/waitFor.ts'

/** Provides healthy rollouts: each place is a fresh copy of the same database. */
export interface FaultTestEnvironment {
  withPlace<T>(use: (place: FaultPlace) => Promise<T>): Promise<T>
  stop(): Promise<void>
}

export interface FaultTestEnvironmentOptions {
  readonly table: (sql: postgres.Sql) => Promise<void>
  readonly file: (application: string) => string
  readonly flags?: readonly string[]
  /** Gives the agent of each place its own root file system, which can be filled. */
  readonly smallRoot?: boolean
}

export const POSTGRES_FLAGS = ['-c', 'fsync=off', '-c', 'autovacuum_naptime=1s']
const quiet = { log: (): void => undefined }

/** Starts a separate server with a table that is rolled out up to finalize. */
export async function prepareTestEnvironment({
  table,
  file,
  flags = [],
  smallRoot = false,
}: FaultTestEnvironmentOptions): Promise<FaultTestEnvironment> {
  const server = await startPostgres([...POSTGRES_FLAGS, ...flags])
  const application = await startFaultyApplication()
  const stop = async (): Promise<void> => {
    await application.stop()
    await server.stop()
  }
  try {
    const text = file(application.url)
    const template = await createDatabase(server, 'finished')
    await withSql(template, table)
    await application.connectTo(template)
    await withAgent(
      template,
      text,
      async (agent) => {
        for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
        const { result } = await agent.run('validation', { layers: ['integrity'] })
        if (result!['verdict'] !== 'pass')
          throw new Error(`the validation of a healthy table failed: ${JSON.stringify(result)}`)
        await agent.run('finalize')
      },
      quiet,
    )
    await application.close()
    return { withPlace: (use) => withPlace({ server, application, text, smallRoot }, use), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface PreparedEnvironment {
  readonly server: PostgresServer
  readonly application: FaultyApplication
  readonly text: string
  readonly smallRoot: boolean
}

async function withPlace<T>(environment: PreparedEnvironment, use: (place: FaultPlace) => Promise<T>): Promise<T> {
  const { server, application } = environment
  const name = `place_${randomBytes(6).toString('hex')}`
  const url = await createDatabase(server, name, 'finished')
  try {
    await application.connectTo(url)
    return await withSql(url, (sql) =>
      withPlaceAgent(url, environment, async (agent, fillDisk) => {
        await adoptCopy(agent)
        // A copied database has new counters, which the first validation records.
        await agent.run('validation', { layers: ['integrity'] })
        return await use({ url, sql, agent, application, server, fillDisk })
      }),
    )
  } finally {
    await application.close()
    await withSql(server.url, (root) => root.unsafe(`drop database if exists ${name} with (force)`))
  }
}

async function withPlaceAgent<T>(
  url: string,
  { text, smallRoot }: PreparedEnvironment,
  use: (agent: TestAgentClient, fillDisk: FaultPlace['fillDisk']) => Promise<T>,
): Promise<T> {
  if (!smallRoot) return await withAgent(url, text, (agent) => use(agent, null), { ...quiet, boot: 'without-database' })
  const agent = await startSmallDiskAgent(url, text)
  try {
    return await use(agent, (part) => agent.fill(part))
  } finally {
    await agent.stop()
  }
}

/** The copied state belongs to another database, so the agent needs confirmation to use it. */
async function adoptCopy(agent: TestAgentClient): Promise<void> {
  await waitFor(
    'the copy is adopted',
    async () => {
      const { status } = await agent.post('/v1/agent/adopt', { environment: 'staging', reason: 'a copy' })
      return status === 200 && (await fetch(`${agent.url}/readyz`)).ok
    },
    { seconds: 60 },
  )
}

export async function createDatabase(server: PostgresServer, name: string, template = 'template1'): Promise<string> {
  await withSql(server.url, (root) => root.unsafe(`create database ${name} template ${template}`))
  return server.url.replace(/\/postgres$/, `/${name}`)
}

export async function withSql<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 2, onnotice: () => undefined })
  try {
    return await use(sql)
  } finally {
    await sql.end({ timeout: 2 })
  }
}
