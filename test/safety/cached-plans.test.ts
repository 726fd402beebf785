import postgres from 'postgres'
import { expect, test } from 'vitest'
import type { OperationPreview } from '../../agent/src/contract/index.ts'
import { statementSubject } from '../../agent/src/rollout/statementText.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

/** Statements of ORMs and people; `fails`: PostgreSQL refuses to run a prepared one after a column was added or dropped. */
const STATEMENTS: readonly { readonly sql: string; readonly fails: boolean; readonly writes?: true }[] = [
  { sql: 'select * from public.vehicles where id = 1', fails: true },
  { sql: 'select "t0".* from "vehicles" as "t0" where "t0"."id" = 1', fails: true },
  { sql: 'with x as (select * from vehicles where id = 1) select * from x', fails: true },
  { sql: 'select s.* from (select v.* from vehicles v where id = 1) s', fails: true },
  { sql: 'select o.n, v.* from (select 1 as n) o join vehicles v on v.id = o.n', fails: true },
  { sql: 'select (v).* from vehicles v where id = 1', fails: true },
  {
    sql: `insert into "vehicles" ("name", "is_truck", "is_bike") values ('x', true, false) returning *`,
    fails: true,
    writes: true,
  },
  { sql: `update vehicles set name = 'y' where id = 1 returning *`, fails: true, writes: true },
  { sql: 'delete from vehicles where id = -1 returning vehicles.*', fails: true, writes: true },
  { sql: 'with x as (delete from vehicles where id = -2 returning *) select * from x', fails: true, writes: true },
  { sql: 'select id, name from vehicles where id = 1', fails: false },
  { sql: 'with x as (select * from vehicles) select id from x where id = 1', fails: false },
  { sql: 'select count(*) from vehicles', fails: false },
  { sql: 'select v from vehicles v where id = 1', fails: false },
  { sql: 'select row_to_json(v) from vehicles v where id = 1', fails: false },
  { sql: `insert into vehicles (name, is_truck, is_bike) values ('z', true, false) returning id`, fails: false },
  { sql: 'select 1 as n where exists (select * from vehicles)', fails: false },
]
const MESSAGE = 'cached plan must not change result type'

/** The statements that fail on the connection that has prepared them, and succeed once they are prepared again. */
async function failingStatements(session: postgres.Sql): Promise<string[]> {
  const failing: string[] = []
  for (const [index, { sql }] of STATEMENTS.entries()) {
    try {
      await session.unsafe(`execute s${index}`)
    } catch (error) {
      expect((error as Error).message).toBe(MESSAGE)
      failing.push(sql)
      await session.unsafe(`deallocate s${index}; prepare s${index} as ${sql}`)
      await session.unsafe(`execute s${index}`)
    }
  }
  return failing
}

const expected = STATEMENTS.filter(({ fails }) => fails).map(({ sql }) => sql)

/** The preview counts exactly the statements that fail, and that of the driver, and names ten of them, writes first. */
function expectNamed({ notes }: OperationPreview): void {
  const named = notes.filter((note) => note.startsWith('Returns *: '))
  const text = notes.join('\n')
  expect(text).toContain(`one of the ${expected.length + 1} known statements that return *`)
  expect(text).toContain(`${STATEMENTS.filter(({ writes }) => writes).length} of them write rows (RETURNING *)`)
  expect(named).toHaveLength(10)
  const subjects = expected.map((sql) => statementSubject(sql).slice(0, 80))
  for (const note of named)
    expect(
      subjects.some((subject) => note.includes(subject)),
      note,
    ).toBe(true)
  expect(named[0]).toMatch(/returning/)
  expect(text).toContain('pgjdbc also does inside a transaction with autosave=conservative')
}

test('the previews name the prepared statements that fail once, and a real connection confirms each', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    const session = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false })
    // A driver that prepares by itself, on one connection.
    const driver = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false })
    const readOne = () => driver`select * from public.vehicles where id = ${1}`
    const readInTransaction = () =>
      driver.begin((transaction) => transaction`select * from public.vehicles where id = ${1}`)
    try {
      await withAgent(
        url,
        VEHICLES_FILE,
        async (agent) => {
          for (const [index, statement] of STATEMENTS.entries()) {
            await session.unsafe(`prepare s${index} as ${statement.sql}`)
            await session.unsafe(`execute s${index}`)
          }
          await readOne()
          expectNamed(await agent.preview('expand'))
          await agent.run('expand')
          expect(await failingStatements(session)).toEqual(expected)
          expect(await readOne()).toHaveLength(1)

          expectNamed(await agent.preview('rollback', { scope: 'data', full: true, confirm: 'vehicles' }))
          await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
          expect(await failingStatements(session)).toEqual(expected)
          await expect(readInTransaction()).rejects.toThrow(MESSAGE)
          expect(await readInTransaction()).toHaveLength(1)

          // With a column that exists already, nothing fails.
          await sql`alter table public.vehicles add column type text`
          await failingStatements(session)
          expect((await agent.preview('expand')).notes).toContain(
            'The column exists already, so no prepared statement fails.',
          )
          await agent.run('expand')
          expect(await failingStatements(session)).toEqual([])
        },
        QUIET_LOG,
      )
    } finally {
      await session.end()
      await driver.end()
    }
  })
})
