import postgres from 'postgres'
import { withAgent } from '../test/support/agent.ts'
import { VEHICLES } from '../test/support/vehicles.ts'
import { DERIVED } from './table.ts'

/** One way to fill the column. `prepare` is not timed; `run` is, and answers nothing: the table tells. */
export interface Method {
  readonly name: string
  readonly workers: number
  run(url: string, timed: <T>(work: () => Promise<T>) => Promise<T>): Promise<void>
}

const addColumn = 'alter table public.vehicles add column type text'

/** One UPDATE of the whole table, in one transaction, without a trigger. */
const singleUpdate: Method = {
  name: 'single-update',
  workers: 1,
  async run(url, timed) {
    await withSql(url, async (sql) => {
      await sql.unsafe(addColumn)
      await timed(() => sql.unsafe(`update public.vehicles set type = ${DERIVED}`))
    })
  },
}

/** Ranges of the key of `size` rows, one transaction each, without a trigger, written by hand. */
function ranges(size: number): Method {
  return {
    name: `range-${size}`,
    workers: 1,
    async run(url, timed) {
      await withSql(url, async (sql) => {
        await sql.unsafe(addColumn)
        await timed(async () => {
          let low = '0'
          for (;;) {
            const [bound] = await sql.unsafe<{ id: string }[]>(
              `select max(id) as id from (select id from public.vehicles where id > $1::bigint order by id limit ${size}) page`,
              [low],
              { prepare: true },
            )
            if (bound?.id == null) return
            await sql.unsafe(
              `update public.vehicles set type = ${DERIVED} where id > $1::bigint and id <= $2::bigint and type is null`,
              [low, bound.id],
              {
                prepare: true,
              },
            )
            low = bound.id
          }
        })
      })
    },
  }
}

/** The agent as a user runs it: HTTP, dual-write trigger, checkpoint, throttle and final sweep, all on. */
const engine: Method = {
  name: 'engine',
  workers: 1,
  async run(url, timed) {
    await withAgent(url, VEHICLES, async (agent) => {
      await agent.run('expand')
      await timed(() => agent.run('backfill'))
    })
  },
}

export const METHODS: readonly Method[] = [singleUpdate, ranges(1000), ranges(50_000), engine]

async function withSql(url: string, use: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await use(sql)
  } finally {
    await sql.end()
  }
}
