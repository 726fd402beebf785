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

// The second CHECK ties a column to the legacy column only through the first.
const TIED_TABLE = `
  create table doc (id int, status text not null, approved_at timestamptz, approved_by text, primary key (id),
    check ((status = 'approved') = (approved_at is not null)), check ((approved_at is null) = (approved_by is null)))
    partition by range (id);
  create table doc_low partition of doc for values from (0) to (500);
  create table doc_high partition of doc for values from (500) to (2000);
  insert into doc select i, s, case s when 'approved' then now() end, case s when 'approved' then 'ann' end
    from (select i, case when i % 2 = 0 then 'approved' else 'draft' end as s from generate_series(1, 1000) i) r; analyze doc`
const TIED_FILE = `rollout: vehicles
table: doc
types: [{ name: Approved, when: status = 'approved', restore: { status: "'approved'" } }]
otherwise: { name: Draft, restore: { status: "'draft'" } }
legacyColumns: [status]
flag: { key: doc-sti }
validation: { requires: [integrity] }
`

test('columns that a CHECK ties to the legacy columns are taken from a row of the written type', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(TIED_TABLE)
    await withAgent(url, TIED_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
      const canary = async () => findCheck(await validate(agent, { layers: ['integrity'] }), 'dual-write-canary')
      const rows = async () => await sql`select xmin::text, * from doc order by id`
      const before = await rows()
      expect(await canary()).toMatchObject({ verdict: 'pass', value: 2, limit: 2 })
      await agent.run('finalize')
      expect(await canary()).toMatchObject({ verdict: 'pass', value: 2, limit: 2 })
      expect(await rows()).toEqual(before)
    })
  })
})
