import type postgres from 'postgres'
import { withDatabase } from '../support/database.ts'
import { createVehicles } from '../support/vehicles.ts'

/** A database whose table belongs to an agent's role with exactly the privileges that the documentation lists. */
export async function withAgentRole(
  rights: { monitor: boolean },
  use: (own: { url: string; sql: postgres.Sql; role: string }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    const role = `agent_${new URL(url).pathname.slice(1)}`
    await createVehicles(sql, 2_000)
    await sql.unsafe(`create role ${role} login password 'agent';
      alter table public.vehicles owner to ${role};
      grant create on database ${new URL(url).pathname.slice(1)} to ${role};
      ${rights.monitor ? `grant pg_monitor to ${role}` : ''}`)
    const own = new URL(url)
    own.username = role
    own.password = 'agent'
    try {
      await use({ url: own.href, sql, role })
    } finally {
      await sql.unsafe(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`)
      await sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`)
    }
  })
}
