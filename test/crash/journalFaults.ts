import type postgres from 'postgres'

/**
 * Every difference between the journal and the catalog, read in one snapshot. Only an unconfirmed index may be
 * missing, since it is journaled before it is created. `ours`: expand added the column.
 */
export async function findJournalFaults(sql: postgres.Sql, ours: boolean): Promise<string[]> {
  const [row] = await sql<
    { journal: { kind: string; object: string; confirmed: boolean }[]; catalog: { kind: string; object: string }[] }[]
  >`
    select
      (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'object', object, 'confirmed', confirmed_at is not null)), '[]')
        from sti.change where reverted_at is null and rollout not like '~%') as journal,
      (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'object', object)), '[]') from (
        select 'column' as kind, '"public"."vehicles"."type"' as object from pg_attribute
          where attrelid = 'public.vehicles'::regclass and attname = 'type' and not attisdropped and ${ours}
        union all select 'not-null', '"public"."vehicles"."type" not null' from pg_attribute
          where attrelid = 'public.vehicles'::regclass and attname = 'type' and not attisdropped and attnotnull
        union all select 'function', 'sti."derive_vehicles"' from pg_proc where pronamespace = 'sti'::regnamespace
          and proname = 'derive_vehicles'
        union all select 'restore', 'sti."derive_vehicles" both ways' from pg_proc where pronamespace = 'sti'::regnamespace
          and proname = 'derive_vehicles' and prosrc like '%-- both ways%'
        union all select 'trigger', tgname || ' on "public"."vehicles"' from pg_trigger
          where tgrelid = 'public.vehicles'::regclass and tgname in ('~sti_complete', '~sti_derive')
        union all select 'index', format('"public".%s', to_json(c.relname)) from pg_index i
          join pg_class c on c.oid = i.indexrelid where i.indrelid = 'public.vehicles'::regclass and c.relname like 'sti\\_%'
        union all select 'constraint', format('%s on "public"."vehicles"', to_json(conname)) from pg_constraint
          where conrelid = 'public.vehicles'::regclass and conname like 'sti\\_%'
        union all select 'sampling', 'sampling of ' || rollout from sti.monitoring
        union all select 'archive', 'sti."columns_vehicles"' where to_regclass('sti.columns_vehicles') is not null
        union all select 'archive', 'triggers of sti."columns_vehicles"' from pg_trigger
          where tgrelid = 'public.vehicles'::regclass and tgname = '~sti_archive'
        union all select 'setting', format('%s of database %s', split_part(c, '=', 1), current_database())
          from pg_db_role_setting s, unnest(s.setconfig) c where s.setrole = 0
            and s.setdatabase = (select oid from pg_database where datname = current_database())
      ) as found) as catalog`
  const name = (entry: { kind: string; object: string }): string => `${entry.kind} ${entry.object}`
  const { journal, catalog } = row!
  const present = new Set(catalog.map(name))
  const journaled = new Map<string, number>()
  for (const entry of journal) journaled.set(name(entry), (journaled.get(name(entry)) ?? 0) + 1)
  return [
    ...[...present].filter((object) => !journaled.has(object)).map((object) => `${object} exists and is not journaled`),
    ...journal
      .filter((entry) => !present.has(name(entry)) && (entry.confirmed || entry.kind !== 'index'))
      .map((entry) => `${name(entry)} is journaled and does not exist`),
    ...[...journaled]
      .filter(([, times]) => times > 1)
      .map(([object, times]) => `${object} is journaled ${times} times`),
  ]
}
