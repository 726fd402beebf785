import type { Method } from '../method.ts'
import { ADD_COLUMN_SQL, DERIVED_TYPE_SQL } from '../benchTable.ts'
import { withExplicitSql } from './explicitSql.ts'

/** Explicit ranges of `size` keys, one transaction each, without a trigger. */
export function keyRanges(size: number): Method {
  return {
    name: `range-${size}`,
    workers: 1,
    shares: 50,
    leaves: 'types',
    async run(url, timed) {
      await withExplicitSql(url, async (sql) => {
        await sql.unsafe(ADD_COLUMN_SQL)
        await timed(async () => {
          for (let low = '0'; ;) {
            const [bound] = await sql.unsafe<{ id: string }[]>(
              `select max(id) as id from
                 (select id from public.vehicles where id > $1::bigint order by id limit ${size}) page`,
              [low],
              { prepare: true },
            )
            if (bound?.id == null) return
            await sql.unsafe(
              `update public.vehicles set type = ${DERIVED_TYPE_SQL}
               where id > $1::bigint and id <= $2::bigint and type is null`,
              [low, bound.id],
              { prepare: true },
            )
            low = bound.id
          }
        })
      })
      return {}
    },
  }
}
