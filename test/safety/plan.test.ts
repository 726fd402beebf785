import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { QUIET_LOG, runToFailure } from '../support/operations.ts'

test('a validation that would read a whole partition per range is refused with advice', async () => {
  await withDatabase(async ({ url, sql }) => {
    // The second range must be less than a tenth of the table: a range of a small table can be all of it.
    await sql.unsafe(`
      create table public.vehicles (id bigint primary key, is_truck boolean not null, is_bike boolean not null)
        partition by hash (id);
      create table public.one partition of public.vehicles for values with (modulus 2, remainder 0);
      create table public.two partition of public.vehicles for values with (modulus 2, remainder 1);
      insert into public.vehicles select n, n % 3 = 0, n % 7 = 0 from generate_series(1, 1000000) n;
      analyze public.vehicles`)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        await sql`update pg_index set indisvalid = false where indexrelid = 'public.two_pkey'::regclass`
        expect(await runToFailure(agent, 'validation')).toMatchObject({
          errorCode: 'plan',
          error: expect.stringMatching(
            /^Each batch would read all of public\.two .* REINDEX INDEX CONCURRENTLY public\.two_pkey/,
          ) as string,
        })
        await sql`update pg_index set indisvalid = true where indexrelid = 'public.two_pkey'::regclass`
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0 })
      },
      QUIET_LOG,
    )
  })
})
