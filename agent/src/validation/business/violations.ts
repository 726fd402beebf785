import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import { formatQuantity } from '../../format/format.ts'
import { readOnlyQuery } from '../../database/readOnlyQuery.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import type { Key } from '../../engine/keys.ts'
import { createResolvedQuery } from '../../rollout/resolveQuery.ts'
import type { ValidationCheck } from '../check.ts'

const MAX_SAMPLE_KEYS = 10
/** Rows beyond this number are not counted. */
const MAX_COUNTED_VIOLATIONS = 1_000
const MAX_ATTEMPTS = 3
const RECHECK_DELAY_MS = 1_000
const MAX_VALUE_CHARACTERS = 200
const RESOLVE_TIMEOUT_MS = 5_000

/**
 * A rule of the rollout file: every row that its query returns violates it. The application may be between two
 * statements, so only rows that the query returns again a second later count.
 */
export function violationsCheck(name: string, query: string): ValidationCheck {
  return {
    name,
    layer: 'business',
    unit: 'count',
    seconds: 60,
    async run({ sql, table, rollout, run, signal }) {
      const evidence = { limit: 0, query }
      const open = (): Sql => run.database.engine({ purpose: `check ${name}`, statementTimeoutMs: RESOLVE_TIMEOUT_MS })
      const resolved = await createResolvedQuery(open, rollout, query).text()
      let previousKeys: readonly Key[] | null = null
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        if (attempt > 0) await delay(RECHECK_DELAY_MS, null, { signal })
        const { rows, keys } = await queryViolations(sql, resolved, table.key.length)
        if (rows === 0) return { ...evidence, verdict: 'pass', value: 0, detail: 'no row violates the rule' }
        const persistentKeys = previousKeys === null ? [] : findPersistentKeys(previousKeys, keys)
        if (rows > MAX_COUNTED_VIOLATIONS || persistentKeys.length > 0) {
          const count = rows > MAX_COUNTED_VIOLATIONS ? rows : persistentKeys.length
          return {
            ...evidence,
            verdict: 'fail',
            value: count,
            discrepancies: count,
            detail:
              rows > MAX_COUNTED_VIOLATIONS
                ? `more than ${formatQuantity(MAX_COUNTED_VIOLATIONS, 'row')} violate the rule (limit 0)`
                : `${formatQuantity(count, 'row')} ${count === 1 ? 'violates' : 'violate'} the rule (limit 0)`,
            sampleKeys: (rows > MAX_COUNTED_VIOLATIONS ? keys : persistentKeys).slice(0, MAX_SAMPLE_KEYS),
          }
        }
        previousKeys = keys
      }
      return {
        ...evidence,
        verdict: 'inconclusive',
        value: null,
        detail: `the violating rows changed between all ${MAX_ATTEMPTS} attempts: exclude rows from the query that the application is about to correct`,
      }
    },
  }
}

/** Keys of `now` that are also in `before`. A query may return the same key for several rows. */
function findPersistentKeys(before: readonly Key[], now: readonly Key[]): Key[] {
  const known = new Set(before.map((key) => JSON.stringify(key)))
  return now.filter((key) => known.has(JSON.stringify(key)))
}

/** The rows that the query returns (at most one more than MAX_COUNTED_VIOLATIONS), with their key columns as text. */
async function queryViolations(sql: Sql, query: string, columns: number): Promise<{ rows: number; keys: Key[] }> {
  const result = await readOnlyQuery<{ rows: number; keys: Key[] }[]>(
    sql,
    `with /* sti */ violation as materialized (select row_to_json(q) as fields from (${query}\n) as q limit ${MAX_COUNTED_VIOLATIONS + 1})
     select count(*)::int as rows, coalesce(jsonb_agg((
       select jsonb_agg(coalesce(left(f.value, ${MAX_VALUE_CHARACTERS}), 'NULL') order by f.place)
       from json_each_text(v.fields) with ordinality as f (name, value, place) where f.place <= ${columns})), '[]') as keys
     from violation v`,
  )
  return onlyRow(result)
}
