import type { Sql } from './connect.ts'
import { onlyRow } from './onlyRow.ts'

/** What STI has in a database, and what keeps its schema from being dropped. */
export interface DatabaseTraces {
  readonly hasSchema: boolean
  /** Names of the sessions of agents. */
  readonly sessions: readonly string[]
  /** Triggers of the application's tables that call a function of schema sti: `name on table`. */
  readonly triggers: readonly string[]
  /** Tables in schema sti that archive the values of columns. */
  readonly archives: readonly string[]
  /** The environment of the state; null: the schema has none. */
  readonly environment: string | null
  /** The role of this session, quoted. */
  readonly role: string
}

/** Reads the catalog only. The name of this session is not one of an agent. */
export async function readTraces(sql: Sql): Promise<DatabaseTraces> {
  const traces = onlyRow(
    await sql<Omit<DatabaseTraces, 'environment'>[]>`
    with /* sti */ schema as (select oid from pg_catalog.pg_namespace where nspname = 'sti')
    select exists (select from schema) as "hasSchema",
      (select coalesce(pg_catalog.jsonb_agg(distinct application_name order by application_name), '[]') from pg_catalog.pg_stat_activity
        where datname = pg_catalog.current_database() and application_name like 'sti %' and application_name not like 'sti uninstall %') as sessions,
      (select coalesce(pg_catalog.jsonb_agg(pg_catalog.format('%I on %s', t.tgname, t.tgrelid::regclass) order by t.tgname), '[]')
        from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid join pg_catalog.pg_class c on c.oid = t.tgrelid
        where p.pronamespace in (select oid from schema) and c.relnamespace not in (select oid from schema)
          and t.tgparentid = 0) as triggers,
      (select coalesce(pg_catalog.jsonb_agg(c.relname order by c.relname), '[]') from pg_catalog.pg_class c
        where c.relnamespace in (select oid from schema) and c.relkind = 'r' and c.relname like 'columns\_%') as archives,
      pg_catalog.quote_ident(current_user) as role`,
  )
  const [identity] = traces.hasSchema ? await sql<{ environment: string }[]>`select environment from sti.identity` : []
  return { ...traces, environment: identity?.environment ?? null }
}

/**
 * Drops schema sti, unless a trigger still calls a function of it: dropping both would end the dual write silently.
 *
 * @throws PostgreSQL's error
 */
export async function dropSchema(sql: Sql): Promise<void> {
  await sql.unsafe(`/* sti */ do $removal$ begin
    if exists (select from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
        join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'sti' and c.relnamespace <> n.oid) then
      raise exception 'a trigger of a table still calls a function of schema sti' using errcode = '2BP01';
    end if;
    drop schema if exists sti cascade;
  end $removal$`)
}
