import postgres from 'postgres'
import { createVehiclesTable, seedVehicles } from './vehiclesTable.ts'

/** Roles belong to the server, so both databases share them. */
export const DEMO_ROLES = { agent: 'sti_agent', application: 'vehicles_app' }

export interface RolePasswords {
  readonly agent: string
  readonly application: string
}

/**
 * Creates or updates two roles. The agent's role owns database and table, reads statistics and sets what enhanced monitoring changes; the
 * application's role can do none of that.
 */
export async function createRoles(sql: postgres.Sql, passwords: RolePasswords): Promise<void> {
  for (const purpose of ['agent', 'application'] as const) {
    const name = DEMO_ROLES[purpose]
    const [existing] = await sql`select from pg_roles where rolname = ${name}`
    const [row] = await sql<{ statement: string }[]>`
      select format('%s role %I login password %L', ${existing ? 'alter' : 'create'}::text, ${name}::text,
        ${passwords[purpose]}::text) as statement`
    if (row) await sql.unsafe(row.statement)
  }
  await sql.unsafe(`grant pg_monitor to ${DEMO_ROLES.agent}`)
  // With these two and as the owner of the database, the agent can apply all of enhanced monitoring.
  await sql.unsafe(`grant set on parameter track_io_timing, pg_stat_statements.track to ${DEMO_ROLES.agent}`)
}

/** Creates the database that the URL names, with this many vehicles. */
export async function createDatabase(superuserUrl: string, rows: number): Promise<void> {
  const name = new URL(superuserUrl).pathname.slice(1)
  const root = postgres(superuserUrl.replace(/\/\w+$/, '/postgres'), { max: 1, onnotice: () => undefined })
  await root.unsafe(`create database ${name}`)
  await root.unsafe(`alter database ${name} owner to ${DEMO_ROLES.agent}`)
  await root.end()
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => undefined })
  await sql.unsafe('create extension pg_stat_statements')
  await createVehiclesTable(sql, DEMO_ROLES)
  await seedVehicles(sql, rows)
  await sql.end()
}
