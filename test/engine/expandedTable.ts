import type postgres from 'postgres'
import type { FailpointHook } from '../../agent/src/kind/failpoints.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { withFailpointAgent } from '../support/failpointAgent.ts'

export interface ExpandedTable {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

export interface EngineTableOptions {
  /** SQL that creates public.vehicles, with is_truck and is_bike; each text is a separate transaction. */
  readonly create: string | readonly string[]
  /** Triggers of the table that the file declares as harmless. */
  readonly triggers?: readonly string[]
  /** Additional lines of the rollout file. */
  readonly file?: string
  /** Called at each failpoint of the agent. */
  readonly reached?: FailpointHook
  /** Counts each statement of the engine on these tables and delays it by this time. */
  readonly watched?: { readonly seconds?: number; readonly tables?: readonly string[] }
}

/** An expanded table of this shape, with an agent. */
export async function withExpandedTable(
  shape: EngineTableOptions,
  use: (running: ExpandedTable) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    for (const text of [shape.create].flat()) await sql.unsafe(text)
    if (shape.watched) await recordEngineWrites(sql, shape.watched.seconds ?? 0, shape.watched.tables)
    const triggers = [...(shape.watched ? ['watched'] : []), ...(shape.triggers ?? [])]
    const file = `${VEHICLES_FILE}triggers: { ${triggers.map((name) => `${name}: harmless`).join(', ')} }\n${shape.file ?? ''}`
    const live = async (agent: TestAgent): Promise<void> => {
      await agent.run('expand')
      await use({ url, sql, agent })
    }
    if (shape.reached) await withFailpointAgent(url, file, shape.reached, live)
    else await withAgent(url, file, live, QUIET_LOG)
  })
}

/**
 * Vehicles with three secondary indexes; `filler` sets the width of row `n`, and `than` changes the table before it
 * is used.
 */
export function plainTable(rows: number, filler = `''`, then = '', options = ''): string {
  return `
    create table public.vehicles (
      id bigint generated always as identity primary key, name text not null, is_truck boolean not null,
      is_bike boolean not null, axles integer, filler text not null default ''
    ) ${options};
    create index on public.vehicles (name);
    create index on public.vehicles (is_truck, name);
    create index on public.vehicles (is_bike, name);
    insert into public.vehicles (name, is_truck, is_bike, filler)
      select 'vehicle ' || n, n % 10 < 3, n % 10 = 5, ${filler} from generate_series(1, ${rows}) n;
    ${then};
    analyze public.vehicles`
}

/** Records each statement of the engine that writes rows: its transaction, connection, and rows. */
export async function recordEngineWrites(
  sql: postgres.Sql,
  seconds: number,
  tables: readonly string[] = ['public.vehicles'],
): Promise<void> {
  await sql.unsafe(`
    create table if not exists public.watched (xid xid8, pid int, rows int, at timestamptz);
    create or replace function public.watched() returns trigger language plpgsql as $$ begin
      if current_setting('sti.engine', true) = 'on' then
        insert into public.watched select pg_current_xact_id(), pg_backend_pid(), count(*), clock_timestamp() from changed
          having count(*) > 0;
        if found and ${seconds} > 0 then perform pg_sleep(${seconds}); end if;
      end if;
      return null;
    end $$;
    ${tables.map((table) => `create or replace trigger watched after update on ${table} referencing new table as changed for each statement execute function public.watched();`).join('\n')}`)
}

export interface EngineWriteCounts {
  readonly rows: number
  readonly transactions: number
  readonly largest: number
  readonly connections: number
}

/** The rows that the engine has written, as counted by the application. */
export async function readEngineWrites(sql: postgres.Sql): Promise<EngineWriteCounts> {
  const [row] = await sql<EngineWriteCounts[]>`
    select coalesce(sum(rows), 0)::int as rows, count(*)::int as transactions, coalesce(max(rows), 0)::int as largest,
      count(distinct pid)::int as connections
    from (select xid, min(pid) as pid, sum(rows) as rows from public.watched group by xid) as t`
  return row!
}

export interface StoredLane {
  readonly number: number
  readonly passed: number
  readonly written: number
  readonly failed: number
  readonly finished: boolean
  readonly claimed: boolean
  readonly position: readonly string[]
  readonly range_state: {
    readonly done: number
    readonly stripes: readonly number[]
    readonly parts: number
    readonly rows: number
    readonly written: number
  } | null
}

/** The lanes of the table, without the operation's own lane. */
export async function readLanes(sql: postgres.Sql, id: number): Promise<StoredLane[]> {
  return await sql<StoredLane[]>`
    select number, passed_rows::int as passed, written_rows::int as written, failed_rows::int as failed, finished,
      claim is not null as claimed, position, range_state
    from sti.lane where operation_id = ${id} and relation is not null order by number`
}

export function sumOf<T>(items: readonly T[], number: (item: T) => number): number {
  return items.reduce((total, item) => total + number(item), 0)
}
