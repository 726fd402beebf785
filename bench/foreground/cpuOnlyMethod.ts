import { setTimeout as delay } from 'node:timers/promises'
import type postgres from 'postgres'
import type { Method } from '../method.ts'
import { withExplicitSql } from '../methods/explicitSql.ts'
import { ADD_COLUMN_SQL } from '../benchTable.ts'

/**
 * A session that counts numbers for the duration of a batch and then rests as the engine does, without table, lock, or WAL.
 * Other clients notice only its share of the processors, which every method of writing rows needs.
 */
export function cpuOnlyMethod(batchSeconds: number, niceRatio: number, seconds: number): Method {
  return {
    name: 'processor',
    workers: 1,
    shares: 50,
    leaves: 'nothing',
    async run(url, timed) {
      await withExplicitSql(url, async (sql) => {
        await sql.unsafe(ADD_COLUMN_SQL)
        const numbers = Math.round((await numbersPerSecond(sql)) * batchSeconds)
        await timed(async () => {
          for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
            const began = performance.now()
            await countNumbers(sql, numbers)
            await delay((performance.now() - began) * niceRatio)
          }
        })
      })
      return {}
    },
  }
}

async function numbersPerSecond(sql: postgres.Sql): Promise<number> {
  const [numbers, began] = [200_000, performance.now()]
  for (let n = 0; n < 5; n++) await countNumbers(sql, numbers)
  return (5 * numbers) / ((performance.now() - began) / 1000)
}

async function countNumbers(sql: postgres.Sql, numbers: number): Promise<void> {
  await sql`select count(*) from generate_series(1, ${numbers}::int) n where n % 7 = 3`
}
