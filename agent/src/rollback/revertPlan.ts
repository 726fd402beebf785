import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { JournaledChange } from '../kind/facts.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** What is to become of one journaled change. */
export interface PlannedRevert {
  readonly change: JournaledChange
  /**
   * `ours`: as we made it, to be taken back. `gone`: it is not there any more. `changed`: somebody has changed it since.
   * `kept`: as we made it, but what somebody changed stands on it. The last two are left as they are unless forced.
   */
  readonly standing: 'ours' | 'gone' | 'changed' | 'kept'
  /** What the catalog must say of it when its turn comes; undefined: it was journaled without that. */
  readonly expected: string | null | undefined
  readonly why: string | null
}

/** On these stands the column: dropping it would take them along. */
const COLUMN_DEPENDENT_KINDS = ['trigger', 'index', 'constraint', 'not-null']

/** Compares the journal with the catalog. In the order in which the changes are to be taken back, the newest first. */
export async function planRevert(
  sql: Sql,
  rollout: Rollout,
  changes: readonly JournaledChange[],
): Promise<PlannedRevert[]> {
  const definitions = await readCurrentDefinitions(sql, changes)
  const plan = changes
    .map((change, i) => classifyChange(change, definitions[i] ?? null, findLaterChange(changes, i)))
    // What replaced it says what it is now.
    .map((one, i, all) => {
      const later = findLaterChange(changes, i)
      return later === undefined || one.standing === 'gone'
        ? one
        : { ...one, ...inheritStanding(all[changes.indexOf(later)]!) }
    })
  const columnDependents = changes.some(({ kind }) => kind === 'column') ? await readColumnDependents(sql, rollout) : []
  return plan.map((one) => keepIfDependedOn(one, plan, columnDependents)).toReversed()
}

/** In words; the object, and why it is left. */
export const describeUnreverted = ({ change, why }: PlannedRevert): string => `${change.object}: ${why}`

async function readCurrentDefinitions(sql: Sql, changes: readonly JournaledChange[]): Promise<(string | null)[]> {
  if (changes.length === 0) return []
  const definitionQueries = changes.map(({ look }) => `(${look ?? 'null'})::text`)
  const answer = await sql.unsafe<{ found: (string | null)[] }[]>(
    `select /* sti */ to_jsonb(array[${definitionQueries.join(', ')}]) as found`,
  )
  return onlyRow(answer).found
}

/** A later change of the same thing, such as the function that also serves the way back. */
function findLaterChange(changes: readonly JournaledChange[], i: number): JournaledChange | undefined {
  const { look } = changes[i]!
  return look === null ? undefined : changes.slice(i + 1).find((later) => later.look === look)
}

function classifyChange(
  change: JournaledChange,
  definition: string | null,
  later: JournaledChange | undefined,
): PlannedRevert {
  const { look, made, back } = change
  // An earlier version of the agent, or a statement that was cut off before it was confirmed.
  if (look === null) return { change, standing: 'ours', expected: undefined, why: null }
  if (definition === null || definition === back) return { change, standing: 'gone', expected: definition, why: null }
  if (later !== undefined) return { change, standing: 'ours', expected: later.back, why: null }
  if (made === null || definition === made) return { change, standing: 'ours', expected: definition, why: null }
  const why = `somebody has changed it since, it is now: ${shortenText(definition)}`
  return { change, standing: 'changed', expected: definition, why }
}

const inheritStanding = ({ standing, why }: PlannedRevert): Pick<PlannedRevert, 'standing' | 'why'> =>
  standing === 'changed' ? { standing, why } : { standing: 'ours', why: null }

function keepIfDependedOn(
  planned: PlannedRevert,
  plan: readonly PlannedRevert[],
  columnDependents: readonly string[],
): PlannedRevert {
  if (planned.standing !== 'ours') return planned
  const { kind } = planned.change
  const dependentKinds = kind === 'column' ? COLUMN_DEPENDENT_KINDS : kind === 'function' ? ['trigger'] : []
  const changed = plan.filter(({ change, standing }) => standing === 'changed' && dependentKinds.includes(change.kind))
  const names = [...changed.map(({ change }) => change.object), ...(kind === 'column' ? columnDependents : [])]
  return names.length === 0 ? planned : { ...planned, standing: 'kept', why: `${names.join(', ')} stands on it` }
}

/** What somebody else has put on the column, in PostgreSQL's words: dropped with it, or in the way of that. */
export async function readColumnDependents(sql: Sql, { table, discriminator }: Rollout): Promise<string[]> {
  const answer = await sql.unsafe<{ names: string[] | null }[]>(
    `select /* sti */ jsonb_agg(distinct pg_describe_object(d.classid, d.objid, d.objsubid)) as names
     from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
     where d.refclassid = 'pg_class'::regclass and d.refobjid = to_regclass(${quoteLiteral(table.sql)})
       and a.attname = ${quoteLiteral(discriminator.column)} and not a.attisdropped and d.classid <> 'pg_attrdef'::regclass
       and not exists (select from pg_trigger t where d.classid = 'pg_trigger'::regclass and t.oid = d.objid
         and (t.tgname like '~sti\\_%' or t.tgisinternal))
       and not exists (select from pg_class c where d.classid = 'pg_class'::regclass and c.oid = d.objid
         and (c.relname like 'sti\\_%' or c.relkind not in ('i', 'I')))
       and not exists (select from pg_constraint c where d.classid = 'pg_constraint'::regclass and c.oid = d.objid
         and (c.conname like 'sti\\_%' or c.contype = 'n'))`,
  )
  return onlyRow(answer).names ?? []
}

function shortenText(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}
