import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import type { Key } from '../../engine/keys.ts'
import type { Check } from '../check.ts'

const SAMPLES = 10
/** More rows than this are not told apart. */
const MOST = 1_000
const LOOKS = 3
const PAUSE_MS = 1_000
const LONGEST_VALUE = 200

/**
 * A rule of the file: every row that its query returns is a violation. The application may be between two statements
 * when it is asked, so a row counts when it is still there a moment later.
 */
export function violationsCheck(name: string, query: string): Check {
  return {
    name,
    layer: 'business',
    seconds: 60,
    async run({ sql, table, signal }) {
      const found = { limit: 0, query }
      let before: readonly Key[] | null = null
      for (let look = 0; look < LOOKS; look++) {
        if (look > 0) await delay(PAUSE_MS, null, { signal })
        const { rows, keys } = await violationsOf(sql, query, table.key.length)
        if (rows === 0) return { ...found, verdict: 'pass', value: 0, detail: 'no row violates it' }
        const lasting = before === null ? [] : stillThere(before, keys)
        if (rows > MOST || lasting.length > 0) {
          const count = rows > MOST ? rows : lasting.length
          return {
            ...found,
            verdict: 'fail',
            value: count,
            discrepancies: count,
            detail: `${rows > MOST ? `more than ${MOST}` : count} rows violate it`,
            sampleKeys: (rows > MOST ? keys : lasting).slice(0, SAMPLES),
          }
        }
        before = keys
      }
      return {
        ...found,
        verdict: 'inconclusive',
        value: null,
        detail: `rows violate it and others do a moment later, ${LOOKS} times: let the query leave out what the application is about to mend`,
      }
    },
  }
}

/** A query may return the same key for several rows: as many of them count as were there both times. */
function stillThere(before: readonly Key[], now: readonly Key[]): Key[] {
  const known = new Set(before.map((key) => JSON.stringify(key)))
  return now.filter((key) => known.has(JSON.stringify(key)))
}

/** The rows it returns, at most one above MOST, and the first columns of each as text. */
async function violationsOf(sql: Sql, query: string, columns: number): Promise<{ rows: number; keys: Key[] }> {
  const answer = await sql.unsafe<{ rows: number; keys: Key[] }[]>(
    `with /* sti */ violation as materialized (select row_to_json(q) as fields from (${query}\n) as q limit ${MOST + 1})
     select count(*)::int as rows, coalesce(jsonb_agg((
       select jsonb_agg(coalesce(left(f.value, ${LONGEST_VALUE}), 'NULL') order by f.place)
       from json_each_text(v.fields) with ordinality as f (name, value, place) where f.place <= ${columns})), '[]') as keys
     from violation v`,
  )
  return onlyRow(answer)
}
