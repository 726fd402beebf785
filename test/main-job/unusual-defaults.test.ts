import { expect, inject, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { countWrongRows } from '../support/faultInjection.ts'
import { QUIET_LOG, runToFailure } from '../support/operations.ts'
import { UNUSUAL_DEFAULTS } from '../support/unusualDefaults.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { withAgentRole } from '../safety/agentRole.ts'

/** Refused where the agent's role has them: a superuser must reset them. */
const REFUSED = ['session_replication_role', 'standard_conforming_strings']

/** Defaults that the agent does not set itself. */
const OTHER_DEFAULTS = {
  lc_time: 'C',
  default_statistics_target: '1',
  cursor_tuple_fraction: '0.01',
  geqo_threshold: '2',
}

test('with the most unusual defaults of its role the whole job runs', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
    const [server] = await sql`select current_setting('server_version_num')::int / 10000 as version`
    await sql.unsafe(`grant create on schema public to ${role}`)
    for (const [name, value] of Object.entries({ ...UNUSUAL_DEFAULTS, ...OTHER_DEFAULTS })) {
      if (REFUSED.includes(name) || (name === 'transaction_timeout' && server!['version'] < 17)) continue
      await sql.unsafe(`alter role ${role} set ${name} = ${name === 'search_path' ? value : `'${value}'`}`)
    }
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill', { batchSize: 500 })
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
      await agent.run('finalize')
      await agent.run('flag', { enabled: true })
      expect(await countWrongRows(sql)).toBe(0)
      await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
    })
  })
})

test.each(['LATIN1', 'LATIN9', 'SQL_ASCII'])('in a database of the encoding %s expand is refused', async (encoding) => {
  await withDatabase(
    async ({ url, sql }) => {
      await createVehicles(sql, 10)
      await withAgent(
        url,
        VEHICLES_FILE,
        async (agent) => {
          const { status, body } = await agent.post<{ detail: string }>('/v1/rollouts/vehicles/operations', {
            kind: 'expand',
            environment: 'staging',
            parameters: {},
            reason: 'test',
          })
          const refused = status === 202 ? (await runToFailure(agent, 'expand')).error : JSON.stringify(body)
          expect(refused).toMatch(new RegExp(`encoding of the database is ${encoding}.*UTF8`))
        },
        QUIET_LOG,
      )
    },
    inject('postgresUrl'),
    `template template0 encoding '${encoding}' locale 'C'`,
  )
})
