import postgres from 'postgres'

/** The definitions in schema public, one line each: columns, indexes, constraints, triggers and functions. */
export async function readCatalog(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    const rows = await sql<{ line: string }[]>`
      select format('column %s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) as line
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
      union all select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = 'public'::regnamespace
      union all select 'trigger ' || pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = 'public'::regnamespace and not t.tgisinternal
      union all select 'function ' || p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'public'::regnamespace
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      order by 1`
    return rows.map((row) => row.line)
  } finally {
    await sql.end()
  }
}

/** Added lines with `+`, removed lines with `-`. */
export const diffCatalogs = (before: readonly string[], now: readonly string[]): string[] => [
  ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
]
