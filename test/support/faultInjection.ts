import postgres from 'postgres'
import { waitFor } from './waitFor.ts'

/** A session of somebody else's, whose transactions stay open as long as the test wants. */
export async function withSession<T>(url: string, use: (session: postgres.Sql) => Promise<T>): Promise<T> {
  const session = postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'somebody' } })
  try {
    return await use(session)
  } finally {
    await session.end({ timeout: 1 })
  }
}

/** A transaction of somebody else's that is begun in one place of a test and ended in another. */
export function holdTransaction(): { begin(url: string, statement: string): Promise<void>; end(): Promise<void> } {
  let session: postgres.Sql | null = null
  return {
    async begin(url, statement) {
      session = postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'somebody' } })
      await session.unsafe(`begin; ${statement}`)
    },
    async end() {
      await session?.unsafe('commit')
      await session?.end({ timeout: 1 })
    },
  }
}

/** Makes each UPDATE of the table take this long, so that something can happen meanwhile. The file must declare it. */
export async function slowUpdates(sql: postgres.Sql, seconds: number, table = 'public.vehicles'): Promise<void> {
  await sql.unsafe(`
    create or replace function public.slow() returns trigger language plpgsql as
      $$ begin perform pg_sleep(${seconds}); return null; end $$;
    create or replace trigger slow after update on ${table} for each statement execute function public.slow()`)
}

/** The engine's own connections, by what they are for. */
export async function engineBackendPids(sql: postgres.Sql, purpose: string): Promise<number[]> {
  const rows = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and application_name like ${`sti %${purpose}%`}`
  return rows.map((row) => row.pid)
}

/** Waits until the engine waits for a lock of this session. */
export async function waitForEngineLockWait(sql: postgres.Sql, purpose: string): Promise<number> {
  return await waitFor(`${purpose} waits for a lock`, async () => {
    const [row] = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where datname = current_database()
        and application_name like ${`sti %${purpose}%`} and wait_event_type = 'Lock'`
    return row?.pid
  })
}

export async function countTypedRows(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from public.vehicles where type is not null`
  return row!.rows
}

/** Rows whose type is not what their legacy columns say, counted by an oracle of this test. */
export async function countWrongRows(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from public.vehicles
    where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
  return row!.rows
}
