import { errorCode, errorMessage } from '../../database/errors.ts'
import type { ValidationCheck } from '../check.ts'

/** amcheck reads the table in one statement, which takes too long for a larger table. */
const MAX_TABLE_BYTES = 10 * 1024 ** 3

/**
 * amcheck verifies that the unique key index contains every row. All other checks would miss a row that is missing from
 * the index. Does not apply without the extension, or to tables over 10 GiB.
 */
export const keyIndex: ValidationCheck = {
  name: 'key-index',
  layer: 'integrity',
  unit: 'count',
  seconds: 300,
  async run({ sql, table }) {
    const [amcheck] = await sql<{ call: string | null; indexes: { oid: string; name: string }[]; bytes: number }[]>`
      select (select case when has_schema_privilege(n.oid, 'usage')
            and has_function_privilege(to_regprocedure(format('%I.bt_index_check(regclass,boolean)', n.nspname)), 'execute')
          then format('%I.bt_index_check', n.nspname) end
          from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'amcheck') as call,
        coalesce((select jsonb_agg(jsonb_build_object('oid', i.indexrelid::text, 'name', i.indexrelid::regclass::text))
          from pg_index i join pg_class c on c.oid = i.indexrelid
          where c.relkind = 'i' and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
            and i.indrelid in (select ${table.oid}::oid union select relid from pg_partition_tree(${table.oid}::oid::regclass))
            and (select array_agg(a.attname::text order by k.place) from unnest(i.indkey::int2[]) with ordinality k (attnum, place)
              join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where k.place <= i.indnkeyatts)
              = array(select jsonb_array_elements_text(${sql.json(table.key.map((column) => column.name))}::jsonb))), '[]') as indexes,
        ${table.bytes}::float8 as bytes`
    if (!amcheck || amcheck.call === null || amcheck.bytes > MAX_TABLE_BYTES) return null
    const query = `select ${amcheck.call}(index, heapallindexed => true)`
    try {
      for (const index of amcheck.indexes)
        await sql.unsafe(`select /* sti */ ${amcheck.call}(${index.oid}::oid::regclass, true)`)
    } catch (error) {
      // index_corrupted and data_corrupted are findings, not errors.
      if (!['XX001', 'XX002'].includes(errorCode(error) ?? '')) throw error
      return {
        verdict: 'fail',
        value: null,
        limit: null,
        query,
        detail: `${errorMessage(error)}: anything that reads through this index may miss rows; REINDEX it, then validate again`,
      }
    }
    const names = amcheck.indexes.map((index) => index.name).join(', ')
    return { verdict: 'pass', value: null, limit: null, query, detail: `amcheck found every row in ${names}` }
  },
}
