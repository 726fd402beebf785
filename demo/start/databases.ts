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
  /** For the oracle, which looks from outside. */
  readonly superuserUrl: string
  readonly agentUrl: string
  readonly applicationUrl: string
}

/** 48 hexadecimal digits, new ones in every run. */
export const newSecret = (): string => randomBytes(24).toString('hex')

/** Creates the roles with passwords of this run, and gives the addresses of a database for each of them. */
export async function prepareRoles(port: number, password: string): Promise<(name: string) => DemoDatabase> {
  const passwords = { agent: newSecret(), application: newSecret() }
  const url = (user: string, word: string, name: string): string =>
    `postgres://${user}:${word}@127.0.0.1:${port}/${name}`
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
