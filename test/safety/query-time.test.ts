import { expect } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { realTimeTest as test } from '../support/realTime.ts'

test('bulk statements of the engine are excluded from the application’s query time', async () => {
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
        // The rule of signals/statements.ts; what is this short is DDL and the bounds of ranges.
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
