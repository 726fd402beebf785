import type { Sql } from '../../database/connect.ts'
import type { Key } from '../../engine/keys.ts'
import { formatCount, formatQuantity } from '../../format/format.ts'
import { countOrphans, orphanSql, readForeignKeys, type ForeignKey } from '../../rollout/foreignKeys.ts'
import type { ValidationCheck } from '../check.ts'

const MAX_SAMPLE_KEYS = 10

/**
 * No row has come to reference a missing row since expand, for the foreign keys of the table and its partitions and those
 * that reference them. Writes with session_replication_role = replica or with disabled triggers can leave orphans while
 * PostgreSQL still considers the constraint valid, and a NOT VALID constraint may have had some before the rollout.
 */
export const foreignKeys: ValidationCheck = {
  name: 'foreign-keys',
  layer: 'integrity',
  unit: 'count',
  seconds: 600,
  async run({ sql, table, run, rollout }) {
    const allKeys = await readForeignKeys(sql, table)
    const keys = allKeys.filter(({ enforced }) => enforced)
    const readableKeys = keys.filter(({ unreadable }) => unreadable === null)
    const violations: string[] = []
    const notes: string[] = []
    const samples: Key[] = []
    let rows = 0
    for (const key of readableKeys) {
      const orphans = await countOrphans(sql, key, () => run.directive() === 'continue')
      // A check that was stopped early is not used.
      if (orphans === null) return null
      const before = await readOrphansBefore(run.database.state, rollout.name, key, orphans.rows)
      const added = Math.max(0, orphans.rows - before)
      rows += added
      if (added > 0) {
        samples.push(...orphans.keys.slice(0, MAX_SAMPLE_KEYS - samples.length))
        violations.push(
          `${formatQuantity(added, 'row')} of ${key.name} reference${added === 1 ? 's' : ''} a missing row of ${key.parent.replace(/^only /, '')} (limit 0)${before === 0 ? '' : `, besides ${formatCount(before)} before the rollout`}`,
        )
      } else if (orphans.rows > 0) {
        notes.push(`${key.name} has ${formatQuantity(orphans.rows, 'orphan')} from before the rollout`)
      }
    }
    const unenforced = allKeys.filter(({ enforced }) => !enforced).map(({ name }) => name)
    if (unenforced.length > 0) notes.push(`not checked, since not enforced: ${unenforced.join(', ')}`)
    const unreadable = keys.filter((key) => key.unreadable !== null)
    const query = readableKeys[0] && orphanSql(readableKeys[0], readableKeys[0].children[0]?.sql ?? '…')
    if (rows === 0 && unreadable.length > 0) {
      const names = unreadable.map(({ name }) => name).join(', ')
      const statements = [...new Set(unreadable.map((key) => key.unreadable))].join('; ')
      return {
        verdict: 'inconclusive',
        value: null,
        limit: 0,
        detail: `the agent’s role may not read every row of the tables of ${names}: run ${statements}`,
        acceptable: unreadable.map(({ name }) => `unreadable ${name}`),
        query,
      }
    }
    const resolved =
      keys.length === 0
        ? 'the table has no foreign keys, and none reference it'
        : `every reference resolves: ${keys.map(({ name }) => name).join(', ')}`
    return {
      verdict: rows === 0 ? 'pass' : 'fail',
      value: rows,
      limit: 0,
      discrepancies: rows,
      sampleKeys: samples,
      detail:
        rows > 0 ? violations.join('; ') : [notes.length === 0 ? resolved : 'no orphan was added', ...notes].join('; '),
      query,
    }
  },
}

/**
 * The orphans that a foreign key had before the first change to the table. If counting took too long then, this first count
 * is recorded. A foreign key that was added since had none.
 */
async function readOrphansBefore(state: Sql, rollout: string, { name }: ForeignKey, now: number): Promise<number> {
  const [row] = await state<{ before: number }[]>`
    with counted as (
      update sti.table_origin set orphan_rows = orphan_rows || jsonb_build_object(${name}::text, ${now}::int)
      where rollout = ${rollout} and orphan_rows->${name}::text = 'null'::jsonb
    )
    select coalesce(case when orphan_rows->${name}::text = 'null'::jsonb then ${now}::int
      else (orphan_rows->>${name}::text)::int end, 0) as before
    from sti.table_origin where rollout = ${rollout}`
  return row?.before ?? 0
}
