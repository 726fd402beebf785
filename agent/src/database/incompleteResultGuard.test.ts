import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Sql } from './connect.ts'

/** The rows of this result arrive, but not its end. */
async function loseResult(sql: Sql, rows: number): Promise<void> {
  await sql`select n, case when n = ${rows} then pg_terminate_backend(pg_backend_pid()) end
    from generate_series(1, ${rows}::int) n`.catch(() => undefined)
}

const QUERIES = {
  one: (sql: Sql) => sql`select 1 as one`,
  parameters: (sql: Sql) => sql`select ${'x'}::text as x from generate_series(1, 3)`,
  fragments: (sql: Sql) => sql`select n from generate_series(1, 3) n ${sql`where n in ${sql([1, 2])}`}`,
  unsafe: (sql: Sql) => sql.unsafe('select 1 as one'),
  prepared: (sql: Sql) => sql.unsafe('select $1::text as x', ['x'], { prepare: true }),
  several: (sql: Sql) => sql.unsafe('select 1 as one; select 2 as two'),
}

test.each(['state', 'urgent', 'engine'] as const)(
  'after a connection of %s is lost in the middle of a result, no result has missing rows',
  async (which) => {
    await withDatabase(async ({ url }) => {
      const database = connect(url, 'a')
      const sql = which === 'engine' ? database.engine() : database[which]
      const whole = new Map<string, unknown>()
      for (const [name, ask] of Object.entries(QUERIES)) whole.set(name, await ask(sql))
      const errors = new Set<unknown>()
      for (const [name, ask] of Object.entries(QUERIES)) {
        // Every connection of the client, so that each one is used again.
        for (let each = 0; each < sql.options.max; each++) await loseResult(sql, 3)
        let answered = 0
        while (answered < 2 * sql.options.max) {
          try {
            expect(await ask(sql)).toEqual(whole.get(name))
            answered++
          } catch (error) {
            const { code } = error as { code?: string }
            if (code === undefined) throw error
            errors.add(code)
          }
        }
      }
      expect(errors).toContain('CONNECTION_CLOSED')
      expect([...errors].filter((code) => code !== '57P01' && code !== 'CONNECTION_CLOSED')).toEqual([])
      await database.close()
    })
  },
)
