import type { Sql } from '../database/connect.ts'
import { catalogFaults } from './catalogFaults.ts'
import { expressionFaults, restoreFaults } from './expressionFaults.ts'
import { dryRun, dryRunOnEmptyCopy } from './dryRun.ts'
import { cannotRaise } from './cannotRaise.ts'
import type { Rollout, Table } from './rollout.ts'
import { typeFaults } from './typeFaults.ts'

/**
 * What PostgreSQL itself finds wrong with a rollout file against its table; each fault is one sentence that says what
 * to do. Nothing is left behind. Throws only when the database could not be asked.
 */
export async function checkAgainstTable(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  return [...(await catalogFaults(sql, rollout, table)), ...(await checkRolloutFile(sql, rollout, table))]
}

/** The part of it that changes only with the file or the shape of the table, and makes an empty copy of the table. */
export async function checkRolloutFile(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const columns = [...columnFaults(rollout, table), ...discriminatorFaults(rollout, table)]
  const copy = await dryRunOnEmptyCopy(sql, rollout, table, [], [])
  if ('refused' in copy) {
    const fault = `An empty copy of the table, to check the file on, cannot be made, ${copy.refused}: GRANT TEMPORARY ON DATABASE, or own the table.`
    return [...columns, fault]
  }
  const dataTypeFaults = await typeFaults(sql, rollout, table)
  const isValid = columns.length === 0 && dataTypeFaults.length === 0
  const expressions = isValid ? await expressionFaults(sql, rollout, table) : []
  const restores = isValid && expressions.length === 0 ? await restoreFaults(sql, rollout, table) : []
  const queries = await queryFaults(sql, rollout, table)
  return [...columns, ...dataTypeFaults, ...expressions, ...restores, ...declarationFaults(rollout, table), ...queries]
}

function columnFaults(rollout: Rollout, table: Table): string[] {
  return rollout.legacyColumns.flatMap((name, i) => {
    const column = table.columns.find((one) => one.name === name)
    const place = rollout.locate(['legacyColumns', i])
    if (!column) return [`Column ${name} is not in ${rollout.table.sql}: correct legacyColumns (${place}).`]
    if (!column.generated) return []
    return [
      `Column ${name} is generated, and has no value yet when the dual-write trigger runs: in "when" write its expression instead, ${column.default}, and its columns in legacyColumns (${place}).`,
    ]
  })
}

function discriminatorFaults(rollout: Rollout, table: Table): string[] {
  const { column: name } = rollout.discriminator
  const place = rollout.locate(['discriminator', 'column'])
  const existing = table.discriminator
  const faults: string[] = []
  if (existing?.generated || existing?.identity) {
    faults.push(`Column ${name} is there already and is generated: name another column (${place}).`)
  }
  if (table.key.some((column) => column.name === name)) {
    faults.push(`Column ${name} is in the key of ${rollout.table.sql}: name another column (${place}).`)
  }
  const neverRaises = cannotRaise(rollout, table)
  if (rollout.file.constraint === 'notNull' && !neverRaises) {
    faults.push(
      `An expression in "when" might raise for some row, and would then give NULL: use constraint: check, or only columns, constants, comparisons, IS NULL and boolean operators (${rollout.locate(['constraint'])}).`,
    )
  }
  if (existing?.notNull && (rollout.mayBeUnmapped || !neverRaises)) {
    faults.push(
      `Column ${name} is NOT NULL already, and a row that no type matches gets NULL, which would fail the application's write: ALTER TABLE ${rollout.table.sql} ALTER ${rollout.discriminator.sql} DROP NOT NULL (${place}).`,
    )
  }
  return faults
}

function declarationFaults(rollout: Rollout, table: Table): string[] {
  const existing = new Set([...table.triggers.map((trigger) => trigger.name), ...table.updateRules])
  return [...rollout.declaredTriggers.keys()]
    .filter((name) => !existing.has(name))
    .map(
      (name) =>
        `${rollout.table.sql} has no trigger or rule ${name}: remove it from triggers (${rollout.locate(['triggers'])}).`,
    )
}

/**
 * The application's own triggers and rules that would fire on every backfilled row and that the file does not speak of.
 * One sentence each; backfill is refused while there is one.
 */
export function undeclaredTriggers(rollout: Rollout, table: Table): string[] {
  const { column } = rollout.discriminator
  const firingTriggers = table.triggers.filter(
    (trigger) =>
      trigger.onUpdate &&
      !trigger.internal &&
      !trigger.ours &&
      !trigger.name.startsWith('~sti_') &&
      (trigger.enabled === 'origin' || trigger.enabled === 'always') &&
      (trigger.updateOf === null || trigger.updateOf.includes(column)),
  )
  const candidates = [
    ...firingTriggers.map((trigger) => ({ what: `Trigger ${trigger.name} on ${trigger.on}`, name: trigger.name })),
    ...table.updateRules.map((name) => ({ what: `Rule ${name} on ${rollout.table.sql}`, name })),
  ]
  return candidates
    .filter(({ name }) => !rollout.declaredTriggers.has(name))
    .map(({ what, name }) => {
      const key = /^[a-z_][a-z0-9_]*$/.test(name) ? name : `'"${name.replaceAll('"', '""')}"'`
      return (
        `${what} fires on every row that the backfill writes: write "${key}: harmless" under triggers in ${rollout.path}, ` +
        `or let it do nothing while current_setting('sti.engine', true) is 'on', and write "${key}: skips".`
      )
    })
}

async function queryFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const { checks, signals, backup } = rollout.file
  const queries = [
    ...checks.flatMap(({ name, violations }, i) =>
      violations === undefined ? [] : [{ what: `check ${name}`, query: violations, path: ['checks', i, 'violations'] }],
    ),
    ...signals.flatMap(({ name, sql }, i) =>
      sql === undefined ? [] : [{ what: `signal ${name}`, query: sql, path: ['signals', i, 'sql'] }],
    ),
    { what: 'backup', query: backup.query, path: ['backup', 'query'] },
  ]
  const faults: string[] = []
  for (const { what, query, path } of queries) {
    const result = await dryRun(sql, rollout, ['set transaction read only', `explain ${query}`])
    if (!('refused' in result)) continue
    // Before the column is added a query over it cannot be planned yet.
    if (result.sqlstate === '42703' && table.discriminator === null && mentionsDiscriminator(result.refused, rollout))
      continue
    faults.push(`The query of ${what} cannot be planned, ${result.refused}: correct it (${rollout.locate(path)}).`)
  }
  return faults
}

function mentionsDiscriminator(message: string, rollout: Rollout): boolean {
  const { column } = rollout.discriminator
  return message.includes(`"${column}"`) || message.includes(`.${column} `)
}

/** What a person should know of the agent's rights, though nothing is refused for it. */
export async function privilegeNotes(sql: Sql): Promise<string[]> {
  const [row] = await sql<{ monitor: boolean; role: string }[]>`
    select pg_catalog.pg_has_role('pg_monitor', 'USAGE') as monitor, quote_ident(current_user) as role`
  return row!.monitor
    ? []
    : [
        `The role ${row!.role} is not in pg_monitor, so long transactions and replication lag of others are unknown: GRANT pg_monitor TO ${row!.role}.`,
      ]
}
