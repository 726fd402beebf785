import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { createRoles, DEMO_ROLES } from '../seed/createDatabase.ts'

export const POSTGRES_FLAGS = [
  ['listen_addresses', '127.0.0.1'],
  ['unix_socket_directories', ''],
  ['shared_preload_libraries', 'pg_stat_statements'],
  ['max_connections', '150'],
  ['shared_buffers', '256MB'],
  ['max_wal_size', '4GB'],
  ['wal_level', 'replica'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`])

export interface DemoDatabase {
  readonly name: string
  /** For the row oracle, which compares the table from outside. */
  readonly superuserUrl: string
  readonly agentUrl: string
  readonly applicationUrl: string
}

/** 48 random hexadecimal digits. */
export const newSecret = (): string => randomBytes(24).toString('hex')

/** Creates the roles with random passwords, and returns a function that gives the URLs of a database. */
export async function prepareRoles(port: number, password: string): Promise<(name: string) => DemoDatabase> {
  const passwords = { agent: newSecret(), application: newSecret() }
  const url = (user: string, secret: string, name: string): string =>
    `postgres://${user}:${secret}@127.0.0.1:${port}/${name}`
  const sql = postgres(url('postgres', password, 'postgres'), { max: 1, onnotice: () => undefined })
  await createRoles(sql, passwords)
  await sql.end()
  return (name) => ({
    name,
    superuserUrl: url('postgres', password, name),
    agentUrl: url(DEMO_ROLES.agent, passwords.agent, name),
    applicationUrl: url(DEMO_ROLES.application, passwords.application, name),
  })
}
