import type { Sql } from '../database/connect.ts'
import { catalogFaults } from './catalogFaults.ts'
import { expressionFaults, restoreFaults } from './expressionFaults.ts'
import { dryRun, DRY_RUN_TABLE, dryRunOnEmptyCopy } from './dryRun.ts'
import { cannotRaise } from './cannotRaise.ts'
import { writeName } from './identifiers.ts'
import { createProbeSql } from './nameProbe.ts'
import { nearestMatch } from './nearestMatch.ts'
import { resolveNames } from './resolveNames.ts'
import { QueryRefusedError, resolveQuery } from './resolveQuery.ts'
import type { NameResolution, Rollout, Table, Trigger } from './rollout.ts'
import { typeFaults } from './typeFaults.ts'

/**
 * Checks a rollout file against its table with PostgreSQL itself. Returns one fault per problem, each with what to do, and
 * leaves nothing behind. Throws only if the database cannot be queried.
 */
export async function checkAgainstTable(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const { faults } = await checkRolloutFile(sql, rollout, table, null)
  return [...(await catalogFaults(sql, rollout, table)), ...faults]
}

/**
 * Every kind of DDL that the checks run, without anything of the file: what refuses these, such as an event trigger, is no
 * fault of the file.
 */
const NEEDED_DDL = [
  `alter table pg_temp.${DRY_RUN_TABLE} add column "~sti_type" text`,
  `create index "~sti_check_index" on pg_temp.${DRY_RUN_TABLE} ((1))`,
  createProbeSql({ name: 'ddl', columns: [], returns: 'boolean', statement: 'select true' }),
  `create temporary view "~sti_type" as select true as value`,
]

export interface FileCheck {
  readonly faults: readonly string[]
  /** With resolved names, unless they are at fault. */
  readonly rollout: Rollout
}

/**
 * The checks that depend only on the file and the table's structure. They create a temporary empty copy of the table.
 * `fixed` is what the names of the file mean since expand; null: they are resolved now. Nothing of the file is evaluated
 * before its names are resolved and known to be safe.
 */
export async function checkRolloutFile(
  sql: Sql,
  source: Rollout,
  table: Table,
  fixed: NameResolution | null,
): Promise<FileCheck> {
  const columns = [...columnFaults(source, table), ...discriminatorFaults(source, table)]
  const copy = await dryRunOnEmptyCopy(sql, source, table, [], NEEDED_DDL)
  if ('refused' in copy) {
    const advice =
      copy.functionAdvice ?? 'Run GRANT TEMPORARY ON DATABASE, or make the agent’s role the owner of the table'
    const fault = `Cannot create an empty temporary copy of the table to check the file: ${copy.refused}. ${advice}.`
    return { faults: [...columns, fault], rollout: source }
  }
  const expanded = fixed !== null || table.triggers.some(({ ours }) => ours)
  const remaining = [...declarationFaults(source, table, expanded), ...(await queryFaults(sql, source, table))]
  if (columns.length > 0) return { faults: [...columns, ...remaining], rollout: source }
  const names = fixed === null ? await resolveNames(sql, source, table) : { resolution: fixed }
  if ('faults' in names) return { faults: [...names.faults, ...remaining], rollout: source }
  const rollout = source.withResolution(names.resolution)
  const dataTypeFaults = await typeFaults(sql, rollout, table)
  const expressions = dataTypeFaults.length === 0 ? await expressionFaults(sql, rollout, table) : []
  const isValid = dataTypeFaults.length === 0 && expressions.length === 0
  const restores = isValid ? await restoreFaults(sql, rollout, table) : []
  return { faults: [...dataTypeFaults, ...expressions, ...restores, ...remaining], rollout }
}

function columnFaults(rollout: Rollout, table: Table): string[] {
  return (['legacyColumns', 'permanentColumns'] as const).flatMap((key) =>
    rollout[key].flatMap((name, i) => {
      const column = table.columns.find((candidate) => candidate.name === name)
      const place = rollout.locate([key, i])
      if (!column) {
        const similar = nearestMatch(
          name,
          table.columns.map((candidate) => candidate.name),
        )
        const suggestion = similar === null ? '' : ` Did you mean ${writeYamlName(similar)}?`
        return [`Column ${name} does not exist in ${rollout.table.sql}.${suggestion} Correct ${key} (${place}).`]
      }
      if (!column.generated) return []
      return [
        `Column ${name} is generated and has no value yet when the dual-write trigger runs. Use its expression in "when" instead, ${column.default}, and its columns in ${key} (${place}).`,
      ]
    }),
  )
}

/** A name as a YAML text. */
function writeYamlName(name: string): string {
  const written = writeName(name)
  return written === name ? name : `'${written}'`
}

function discriminatorFaults(rollout: Rollout, table: Table): string[] {
  const { column: name } = rollout.discriminator
  const place = rollout.locate(['discriminator', 'column'])
  const existing = table.discriminator
  const faults: string[] = []
  if (existing?.generated || existing?.identity) {
    faults.push(`Column ${name} already exists and is generated. Choose another column (${place}).`)
  }
  if (table.key.some((column) => column.name === name)) {
    faults.push(`Column ${name} is in the key of ${rollout.table.sql}. Choose another column (${place}).`)
  }
  const neverRaises = cannotRaise(rollout, table)
  if (rollout.file.constraint === 'notNull' && !neverRaises) {
    faults.push(
      `An expression in "when" can raise an error for some rows, which then get NULL. Use constraint: check, or only columns, constants, comparisons, IS NULL and boolean operators (${rollout.locate(['constraint'])}).`,
    )
  }
  if (existing?.notNull && (rollout.mayBeUnmapped || !neverRaises)) {
    faults.push(
      `Column ${name} already exists as NOT NULL, but a row that no type matches gets NULL, so the application's write would fail. Run ALTER TABLE ${rollout.table.sql} ALTER ${rollout.discriminator.sql} DROP NOT NULL (${place}).`,
    )
  }
  return faults
}

/**
 * Before expand, a name that no trigger has is a mistake in the file. Later, the application may drop its trigger: the
 * declaration is bound to the operations, so that removing it would make them run again.
 */
function declarationFaults(rollout: Rollout, table: Table, expanded: boolean): string[] {
  const existing = new Set([...table.triggers.map((trigger) => trigger.name), ...table.updateRules])
  const place = rollout.locate(['triggers'])
  return [...rollout.declaredTriggers].flatMap(([name, declared]) => {
    if (!existing.has(name) && expanded) return []
    if (!existing.has(name))
      return [`Trigger or rule ${name} does not exist on ${rollout.table.sql}. Remove it from triggers (${place}).`]
    if (declared === 'harmless') return []
    const loud = table.triggers.find((trigger) => trigger.name === name && trigger.readsEngineSetting === false)
    if (!loud) return []
    return [
      `Trigger ${name} on ${loud.on} is declared skips, but its function ${loud.function} does not read the setting sti.engine, so it would fire for every row of the backfill. ` +
        `Make it do nothing while current_setting('sti.engine', true) is 'on', or declare the trigger harmless (${place}).`,
    ]
  })
}

/** The application's own triggers that fire on an update of `column`. */
export function firingTriggers(table: Pick<Table, 'triggers'>, column: string): Trigger[] {
  return updateTriggers(table).filter((trigger) => trigger.updateOf === null || trigger.updateOf.includes(column))
}

/**
 * The application's own triggers that fire only if a statement names one of `legacyColumns` (UPDATE OF), and not on an
 * update of `discriminator`.
 */
export function legacyUpdateTriggers(
  table: Pick<Table, 'triggers'>,
  legacyColumns: readonly string[],
  discriminator: string,
): Trigger[] {
  return updateTriggers(table).filter(
    ({ updateOf }) =>
      updateOf !== null && !updateOf.includes(discriminator) && updateOf.some((name) => legacyColumns.includes(name)),
  )
}

const updateTriggers = ({ triggers }: Pick<Table, 'triggers'>): Trigger[] =>
  triggers.filter(
    (trigger) =>
      trigger.onUpdate &&
      !trigger.internal &&
      !trigger.ours &&
      !trigger.name.startsWith('~sti_') &&
      (trigger.enabled === 'origin' || trigger.enabled === 'always'),
  )

/** The triggers that fire when the canary of a validation writes a legacy column, one sentence each. */
export function undeclaredLegacyTriggers(rollout: Rollout, table: Table): string[] {
  return legacyUpdateTriggers(table, rollout.legacyColumns, rollout.discriminator.column)
    .filter(({ name }) => !rollout.declaredTriggers.has(name))
    .map(
      ({ name, on }) =>
        `Trigger ${name} on ${on} fires when the canary of a validation writes a legacy column. If it is safe to fire in a transaction that is rolled back, add "${writeYamlName(name)}: harmless" to triggers in ${rollout.path}.`,
    )
}

/** What a write of the type alone does not do: PostgreSQL fires UPDATE OF by the columns that the statement names. */
export function silentTriggerNotes(rollout: Rollout, table: Table): string[] {
  if (rollout.typesWithoutRestore.length === rollout.types.length) return []
  return legacyUpdateTriggers(table, rollout.legacyColumns, rollout.discriminator.column).map(
    ({ name, on, updateOf }) =>
      `Trigger ${name} on ${on} fires only if a statement names ${updateOf!.join(' or ')} (UPDATE OF). A write of the type alone changes legacy columns without firing it. If new code relies on it, create it without UPDATE OF, and with WHEN (OLD.… IS DISTINCT FROM NEW.…).`,
  )
}

/**
 * The application's own triggers and rules that would fire on every backfilled row and that the file does not declare, one
 * sentence each. A backfill is refused while there is one.
 */
export function undeclaredTriggers(rollout: Rollout, table: Table): string[] {
  const candidates = [
    ...firingTriggers(table, rollout.discriminator.column).map((trigger) => ({
      label: `Trigger ${trigger.name} on ${trigger.on}`,
      name: trigger.name,
    })),
    ...table.updateRules.map((name) => ({ label: `Rule ${name} on ${rollout.table.sql}`, name })),
  ]
  return candidates
    .filter(({ name }) => !rollout.declaredTriggers.has(name))
    .map(({ label, name }) => {
      const key = writeYamlName(name)
      return (
        `${label} fires on every row that the backfill writes. Add "${key}: harmless" to triggers in ${rollout.path}, or make ` +
        `it do nothing while current_setting('sti.engine', true) is 'on' and add "${key}: skips".`
      )
    })
}

async function queryFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const { checks, signals, backup } = rollout.file
  const queries = [
    ...checks.flatMap(({ name, violations }, i) =>
      violations === undefined
        ? []
        : [{ subject: `check ${name}`, query: violations, path: ['checks', i, 'violations'] }],
    ),
    ...signals.flatMap(({ name, sql }, i) =>
      sql === undefined ? [] : [{ subject: `signal ${name}`, query: sql, path: ['signals', i, 'sql'] }],
    ),
    { subject: 'backup', query: backup.query, path: ['backup', 'query'] },
  ]
  const faults: string[] = []
  for (const { subject, query, path } of queries) {
    const refusal = await queryRefusal(sql, rollout, query)
    if (refusal === null) continue
    // A query over the column cannot be planned before the column is added.
    if (refusal.sqlstate === '42703' && table.discriminator === null && mentionsDiscriminator(refusal.message, rollout))
      continue
    faults.push(
      refusal.sqlstate === null
        ? `The query of ${subject} must not run: ${refusal.message} (${rollout.locate(path)}).`
        : `Cannot plan the query of ${subject}: ${refusal.message}. Correct the query (${rollout.locate(path)}).`,
    )
  }
  return faults
}

async function queryRefusal(sql: Sql, rollout: Rollout, query: string): Promise<QueryRefusedError | null> {
  try {
    const resolved = await resolveQuery(sql, rollout, query)
    const planned = await dryRun(sql, ['set transaction read only', `explain ${resolved}`])
    return 'refused' in planned ? new QueryRefusedError(planned.refused, planned.sqlstate) : null
  } catch (error) {
    if (error instanceof QueryRefusedError) return error
    throw error
  }
}

function mentionsDiscriminator(message: string, rollout: Rollout): boolean {
  const { column } = rollout.discriminator
  return message.includes(`"${column}"`) || message.includes(`.${column} `)
}

/** Missing privileges of the agent's role that limit what it can measure but refuse no operation. */
export async function privilegeNotes(sql: Sql): Promise<string[]> {
  const [row] = await sql<{ monitor: boolean; role: string }[]>`
    select pg_catalog.pg_has_role('pg_monitor', 'USAGE') as monitor, quote_ident(current_user) as role`
  return row!.monitor
    ? []
    : [
        `Role ${row!.role} is not a member of pg_monitor, so other users’ long transactions and the replication lag are unknown. Run GRANT pg_monitor TO ${row!.role}.`,
      ]
}
