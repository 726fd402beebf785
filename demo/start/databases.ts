import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { createVehicles, seedVehicles } from '../service/schema.ts'

export const postgresFlags = [
  ['listen_addresses', '127.0.0.1'],
  ['unix_socket_directories', ''],
  ['shared_preload_libraries', 'pg_stat_statements'],
  ['max_connections', '150'],
  ['shared_buffers', '256MB'],
  ['max_wal_size', '4GB'],
  ['wal_level', 'replica'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`])

/** Role names are the same in both databases; their passwords are this run's. */
const roles = { agent: 'sti_agent', application: 'vehicles_app' }

export interface DemoDatabase {
  readonly name: string
  /** For the oracle, which looks from outside. */
  readonly superuserUrl: string
  readonly agentUrl: string
  readonly applicationUrl: string
}

export const secret = (): string => randomBytes(24).toString('hex')

/** Two roles: the agent's owns the table, may CREATE in the database and reads statistics; the application's may not. */
export async function createRoles(port: number, password: string): Promise<(name: string) => DemoDatabase> {
  const passwords = { agent: secret(), application: secret() }
  const url = (user: string, word: string, name: string): string =>
    `postgres://${user}:${word}@127.0.0.1:${port}/${name}`
  const sql = postgres(url('postgres', password, 'postgres'), { max: 1, onnotice: () => undefined })
  await sql.unsafe(`create role ${roles.agent} login password '${passwords.agent}' in role pg_monitor`)
  await sql.unsafe(`create role ${roles.application} login password '${passwords.application}'`)
  await sql.end()
  return (name) => ({
    name,
    superuserUrl: url('postgres', password, name),
    agentUrl: url(roles.agent, passwords.agent, name),
    applicationUrl: url(roles.application, passwords.application, name),
  })
}

export async function createDatabase(database: DemoDatabase, rows: number): Promise<void> {
  const root = postgres(database.superuserUrl.replace(/\/\w+$/, '/postgres'), { max: 1, onnotice: () => undefined })
  await root.unsafe(`create database ${database.name}`)
  await root.unsafe(`grant create on database ${database.name} to ${roles.agent}`)
  await root.end()
  const sql = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })
  await sql.unsafe('create extension pg_stat_statements')
  await createVehicles(sql, roles)
  await seedVehicles(sql, rows)
  await sql.end()
}
