import { expect } from 'vitest'
import { runMigration } from '../column-drop/runMigration.ts'
import { withAgent } from '../support/agent.ts'
import { citusTest } from '../support/citus.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { enable, prepare } from './columnDropSteps.ts'
import { findCheck, validate } from '../validation/validations.ts'

citusTest(
  'a role that is no superuser, with the rights of docs/operations.md, takes a distributed table the whole way',
  async (cluster) => {
    const { url, sql, workers } = cluster
    const database = new URL(url).pathname.slice(1)
    const [owner, role] = [`owner_${database}`, `agent_${database}`]
    // Citus carries roles and their rights to its nodes, one statement at a time.
    for (const statement of [
      `create role ${owner}`,
      `create role ${role} login`,
      `grant all on schema public to ${owner}`,
      `create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null)`,
      `alter table public.vehicles owner to ${owner}`,
      `select create_distributed_table('public.vehicles', 'id', shard_count => 4)`,
      `insert into public.vehicles select n, n % 3 = 0, false from generate_series(1, 2000) n`,
      `grant ${owner} to ${role}`,
      `grant create, connect on database ${database} to ${role}`,
      `grant usage, create on schema public to ${role}`,
      `grant pg_monitor to ${role}`,
    ])
      await sql.unsafe(statement)
    const own = new URL(url)
    own.username = role
    try {
      await withAgent(
        own.href,
        `${VEHICLES_FILE.replace('flag:', 'conflicts: type\nflag:')}soak: 1s\n`,
        async (agent) => {
          expect((await agent.rollout()).faults).toEqual([])
          await enable(agent)
          const { migration } = await prepare(agent, { validateData: true })
          await runMigration(own.href, migration!.up)
          await sql`update public.vehicles set type = 'Truck' where id = 8`
          await runMigration(own.href, migration!.down!)
          expect(await sql`select is_truck, is_bike from public.vehicles where id = 8`).toEqual([
            { is_truck: true, is_bike: false },
          ])
          await agent.run('archive-removal', { force: true, confirm: 'vehicles' })
          await sql`update public.vehicles set type = 'Bike', is_truck = true, is_bike = false where id = 7`
          const conflicts = findCheck(
            await validate(agent, { checks: ['dual-write-conflicts'] }),
            'dual-write-conflicts',
          )
          expect(conflicts).toMatchObject({ verdict: 'fail', value: 1 })
          const { result } = await agent.run('rollback', { scope: 'system', confirm: 'vehicles' })
          expect(result).toMatchObject({ left: [], origin: { structure: 'as before expand' } })
        },
      )
    } finally {
      await sql.unsafe(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`)
      for (const node of [...workers, sql])
        await node.unsafe(
          `set citus.enable_ddl_propagation = off; drop owned by ${role}, ${owner} cascade; reset citus.enable_ddl_propagation`,
        )
      await sql.unsafe(`drop role ${role}`)
      await sql.unsafe(`drop role ${owner}`)
    }
  },
)
