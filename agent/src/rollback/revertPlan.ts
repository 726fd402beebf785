import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { JournaledChange } from '../kind/facts.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** One journaled change and its current status. */
export interface PlannedRevert {
  readonly change: JournaledChange
  /**
   * `unchanged`: as STI created it, so it is reverted. `missing`: it no longer exists. `changed`: others have modified it.
   * `kept`: as STI created it, but a modified object depends on it. The last two are kept unless forced.
   */
  readonly status: 'unchanged' | 'missing' | 'changed' | 'kept'
  /** The definition that the catalog must contain when the change is reverted; undefined: not journaled. */
  readonly expected: string | null | undefined
  readonly why: string | null
}

/** These depend on the column: dropping it would drop them, too. */
const COLUMN_DEPENDENT_KINDS = ['trigger', 'index', 'constraint', 'not-null']

/** Compares the journal with the catalog. Returns the changes in the order to revert them, newest first. */
export async function planRevert(
  sql: Sql,
  rollout: Rollout,
  changes: readonly JournaledChange[],
): Promise<PlannedRevert[]> {
  const definitions = await readCurrentDefinitions(sql, changes)
  const plan = changes
    .map((change, i) => classifyChange(change, definitions[i] ?? null, findLaterChange(changes, i)))
    // The status of the later change that replaced it applies.
    .map((change, i, all) => {
      const later = findLaterChange(changes, i)
      return later === undefined || change.status === 'missing'
        ? change
        : { ...change, ...inheritStatus(all[changes.indexOf(later)]!) }
    })
  const columnDependents = changes.some(({ kind }) => kind === 'column') ? await readColumnDependents(sql, rollout) : []
  return plan.map((planned) => keepIfDependedOn(planned, plan, columnDependents)).toReversed()
}

/** The object and the reason why it is kept. */
export const describeUnreverted = ({ change, why }: PlannedRevert): string => `${change.object}: ${why}`

async function readCurrentDefinitions(sql: Sql, changes: readonly JournaledChange[]): Promise<(string | null)[]> {
  if (changes.length === 0) return []
  const definitionQueries = changes.map(({ definitionSql }) => `(${definitionSql ?? 'null'})::text`)
  const answer = await sql.unsafe<{ found: (string | null)[] }[]>(
    `select /* sti */ to_jsonb(array[${definitionQueries.join(', ')}]) as found`,
  )
  return onlyRow(answer).found
}

/** A later change to the same object, such as finalize replacing the trigger function. */
function findLaterChange(changes: readonly JournaledChange[], i: number): JournaledChange | undefined {
  const { definitionSql } = changes[i]!
  return definitionSql === null
    ? undefined
    : changes.slice(i + 1).find((later) => later.definitionSql === definitionSql)
}

function classifyChange(
  change: JournaledChange,
  definition: string | null,
  later: JournaledChange | undefined,
): PlannedRevert {
  const { definitionSql, definitionAfterApply, definitionAfterRevert } = change
  // Journaled by an earlier version of the agent, or interrupted before it was confirmed.
  if (definitionSql === null) return { change, status: 'unchanged', expected: undefined, why: null }
  if (definition === null || definition === definitionAfterRevert)
    return { change, status: 'missing', expected: definition, why: null }
  if (later !== undefined) return { change, status: 'unchanged', expected: later.definitionAfterRevert, why: null }
  if (definitionAfterApply === null || definition === definitionAfterApply)
    return { change, status: 'unchanged', expected: definition, why: null }
  const why = `it was changed by others and is now: ${shortenText(definition)}`
  return { change, status: 'changed', expected: definition, why }
}

const inheritStatus = ({ status, why }: PlannedRevert): Pick<PlannedRevert, 'status' | 'why'> =>
  status === 'changed' ? { status, why } : { status: 'unchanged', why: null }

function keepIfDependedOn(
  planned: PlannedRevert,
  plan: readonly PlannedRevert[],
  columnDependents: readonly string[],
): PlannedRevert {
  if (planned.status !== 'unchanged') return planned
  const { kind } = planned.change
  const dependentKinds = kind === 'column' ? COLUMN_DEPENDENT_KINDS : kind === 'function' ? ['trigger'] : []
  const changed = plan.filter(({ change, status }) => status === 'changed' && dependentKinds.includes(change.kind))
  const names = [...changed.map(({ change }) => change.object), ...(kind === 'column' ? columnDependents : [])]
  return names.length === 0
    ? planned
    : { ...planned, status: 'kept', why: `${names.join(', ')} ${names.length === 1 ? 'depends' : 'depend'} on it` }
}

/** Objects of others that depend on the column, as PostgreSQL describes them: dropped with it, or preventing the drop. */
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
