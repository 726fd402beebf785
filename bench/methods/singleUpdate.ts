import type { Method } from '../method.ts'
import { ADD_COLUMN_SQL, DERIVED_TYPE_SQL } from '../benchTable.ts'
import { withExplicitSql } from './explicitSql.ts'

/** One UPDATE of the whole table, in one transaction, without a trigger. */
export const singleUpdate: Method = {
  name: 'single-update',
  workers: 1,
  shares: 50,
  leaves: 'types',
  async run(url, timed) {
    await withExplicitSql(url, async (sql) => {
      await sql.unsafe(ADD_COLUMN_SQL)
      await timed(async () => void (await sql.unsafe(`update public.vehicles set type = ${DERIVED_TYPE_SQL}`)))
    })
    return {}
  },
}
