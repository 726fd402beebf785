import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { findCheck, validate } from '../validation/validations.ts'

const FILE = `rollout: vehicles
table: job
types: [{ name: OrgJob, when: org_id is not null, restore: { org_id: 0 } }]
otherwise: { name: GlobalJob, restore: { org_id: null } }
legacyColumns: [org_id]
flag: { key: job-sti }
validation: { requires: [integrity] }
`

test('the canary tries rows of every type, wherever they are: the first rows are of a type that none can leave', async () => {
  await withDatabase(async ({ url, sql }) => {
    // A row without an organization cannot get the restored one, which does not exist.
    await sql.unsafe(`create table org (id int primary key); insert into org select generate_series(1, 10);
      create table job (id int primary key, org_id int references org);
      insert into job select i, case when i > 500 then 1 + i % 10 end from generate_series(1, 1000) i; analyze job`)
    await withAgent(url, FILE, async (agent) => {
      for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
      expect(findCheck(await validate(agent, { layers: ['integrity'] }), 'dual-write-canary').verdict).toBe('pass')
      await agent.run('finalize')
      expect(findCheck(await validate(agent, { layers: ['integrity'] }), 'dual-write-canary').verdict).toBe('pass')
    })
  })
})
