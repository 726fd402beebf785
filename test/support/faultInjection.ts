import postgres from 'postgres'
import { waitFor } from './waitFor.ts'

/** A session of another application, whose transactions the test can keep open. */
export async function withSession<T>(url: string, use: (session: postgres.Sql) => Promise<T>): Promise<T> {
  const session = postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'somebody' } })
  try {
    return await use(session)
  } finally {
    await session.end({ timeout: 1 })
  }
}

/** A transaction of another application that begins and ends at different places of a test. */
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

/** Adds a delay to each UPDATE of the table. The rollout file must declare the trigger. */
export async function slowUpdates(sql: postgres.Sql, seconds: number, table = 'public.vehicles'): Promise<void> {
  await sql.unsafe(`
    create or replace function public.slow() returns trigger language plpgsql as
      $$ begin perform pg_sleep(${seconds}); return null; end $$;
    create or replace trigger slow after update on ${table} for each statement execute function public.slow()`)
}

/** Backend PIDs of the engine for one purpose. */
export async function engineBackendPids(sql: postgres.Sql, purpose: string): Promise<number[]> {
  const rows = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and application_name like ${`sti %${purpose}%`}`
  return rows.map((row) => row.pid)
}

/** Waits until a backend of the engine waits for a lock, and returns its PID. */
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

/** Counts rows whose type does not match their legacy columns, independently of the agent. */
export async function countWrongRows(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from public.vehicles
    where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
  return row!.rows
}
