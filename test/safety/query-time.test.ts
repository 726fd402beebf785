import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { OWN_STATEMENT_SQL } from '../../agent/src/database/tagStatement.ts'
import { NORMALIZED_QUERY_PATTERN } from '../../agent/src/signals/queryTime.ts'
import { withAgentRole } from './agentRole.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { realTimeTest } from '../support/realTime.ts'

realTimeTest('bulk statements of the engine are excluded from the application’s query time', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 60_000)
    await withAgent(
      url,
      `${VEHICLES_FILE}prefill: majority\n`,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await sql`select pg_stat_statements_reset()`
        await agent.run('validation')
        await agent.run('finalize')
        await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
        // The rule of signals/queryTime.ts; statements this short are DDL and range bounds.
        const counted = await sql`
          select left(query, 200) as query, max_exec_time from pg_stat_statements
          where dbid = (select oid from pg_database where datname = current_database())
            and query ~ 'vehicles' and query !~ '^(alter|create|drop) '
            and not (strpos(query, '/* sti */') > 0 or query ~ '\\msti"?\\.')`
        expect(counted).toEqual([])
        // Bulk statements were run and are recognized only by their tag.
        const marked = await sql<{ query: string }[]>`
          select query from pg_stat_statements where strpos(query, '/* sti */') > 0 and query ~ 'vehicles'`
        for (const bulk of [/bit_xor\(/, / index concurrently /, / validate constraint /, /^analyze /])
          expect(
            marked.filter(({ query }) => bulk.test(query)),
            String(bulk),
          ).not.toEqual([])
      },
      QUIET_LOG,
    )
  })
})

const EVERYTHING = `${VEHICLES_FILE}checks:
  - { name: no-odd-name, violations: "select id from public.vehicles where name = 'odd'" }
  - { name: first-word, violations: "with odd as (select id from public.vehicles where id < 0) select id from odd" }
signals: [{ name: rows, sql: select count(*) from public.vehicles, limit: 1000000 }]
backup: { query: select now() }
`

test('every query that the agent sends is recognized as its own, whatever the rollout does', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
    await sql.unsafe(`grant create on schema public to ${role}`)
    await withAgent(
      url,
      EVERYTHING,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation')
        await agent.run('finalize')
        await agent.run('flag', { enabled: true, force: true }).catch(() => null)
        await agent.run('rehearsal')
        // Refused while the soak time has not passed; its checks run.
        await agent
          .run('column-drop', {
            validateData: true,
            includeRollback: true,
            generatePullRequest: true,
            confirm: 'vehicles',
          })
          .catch(() => null)
        await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
        // Utility commands, whose text is not normalized, are never counted.
        const counted = await sql<{ query: string }[]>`
          select left(query, 300) as query from pg_stat_statements
          where userid = ${role}::regrole and toplevel and query ~* ${NORMALIZED_QUERY_PATTERN}
            and not ${sql.unsafe(OWN_STATEMENT_SQL.replace('current_user', `'${role}'`))}
          order by 1`
        expect(counted.map(({ query }) => query)).toEqual([])
      },
      QUIET_LOG,
    )
  })
})
