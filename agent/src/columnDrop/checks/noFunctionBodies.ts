import { formatQuantity } from '../../format/format.ts'
import { createHash } from 'node:crypto'
import { partitionTreeCte } from '../../statements/partitionTreeCte.ts'
import { findFunctionUses, type StoredFunction } from '../../statements/functionUses.ts'
import type { DropCheck, TableContext } from './dropCheck.ts'

export const noFunctionBodies: DropCheck<TableContext> = {
  name: 'no-function-body',
  question: 'Are all functions of the database free of the columns?',
  async run(context) {
    const functions = await readFunctions(context)
    const uses: string[] = []
    const unsure: string[] = []
    const unsureNames: string[] = []
    for (const stored of functions) {
      const { reads, writes, unsure: unsureReason } = findFunctionUses(stored, context.target, context.columnsOf)
      if (writes.length > 0) uses.push(`${stored.shown} writes ${writes.join(', ')}`)
      else if (reads.length > 0) uses.push(`${stored.shown} reads ${reads.join(', ')}`)
      else if (unsureReason !== null) {
        unsure.push(`${stored.shown}: ${unsureReason}`)
        unsureNames.push(functionVersion(stored))
      }
    }
    if (uses.length > 0) {
      const what = `${formatQuantity(uses.length, 'function')} would fail at the next call`
      const action = `change ${uses.length === 1 ? 'it' : 'them'} to use the type`
      return {
        verdict: 'fail',
        summary: `${what}${unsure.length === 0 ? '' : `, and ${formatQuantity(unsure.length, 'function')} could not be analyzed`}: ${action}`,
        evidence: `${what} (${uses.join('; ')}): ${action}`,
        findings: [...uses, ...unsure],
      }
    }
    if (unsure.length > 0) {
      const what = `${formatQuantity(unsure.length, 'function')} could not be analyzed`
      const action = 'make sure that no function uses the columns, and rewrite or drop those that could not be analyzed'
      return {
        verdict: 'inconclusive',
        summary: `${what}: ${action}`,
        evidence: `${what} (${unsure.join('; ')}): ${action}`,
        findings: unsure,
        acceptable: unsureNames,
      }
    }
    return {
      verdict: 'pass',
      evidence:
        functions.length === 0
          ? 'the application has no functions'
          : `all function bodies of the application (${functions.length}) were parsed, and none names the columns`,
    }
  },
}

/** The current function: a changed body is a different subject, which needs its own acceptance. */
const functionVersion = ({ shown, definition }: StoredFunction): string =>
  `${shown} (${createHash('sha256').update(definition).digest('hex').slice(0, 12)})`

/** The application's functions, without those of PostgreSQL, extensions, and STI. */
async function readFunctions({ sql, table }: TableContext): Promise<StoredFunction[]> {
  return await sql<StoredFunction[]>`
    with /* sti */ ${partitionTreeCte(sql, table.oid)}, row_type as (
      select c.reltype as oid from tree join pg_class c on c.oid = tree.oid
    )
    select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as shown, l.lanname as language,
      pg_get_functiondef(p.oid) as definition, coalesce(p.prosrc, '') as source,
      exists (select from pg_trigger t where t.tgfoid = p.oid and t.tgrelid in (select oid from tree)) as triggered,
      (select coalesce(jsonb_agg(jsonb_build_object('number', a.number, 'name', nullif(p.proargnames[a.number], ''))), '[]')
        from unnest(p.proargtypes::oid[]) with ordinality a(type, number) where a.type in (select oid from row_type)) as "rowParameters"
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where n.nspname not in ('pg_catalog', 'information_schema', 'sti') and n.nspname !~ '^pg_(toast|temp)'
      and p.prokind in ('f', 'p') and p.prosqlbody is null and l.lanname not in ('internal', 'c')
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
    order by 1`
}
