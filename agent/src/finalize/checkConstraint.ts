import type { Sql } from '../database/connect.ts'
import { runNonTransactional } from '../ddl/nonTransactional.ts'
import { runDdl, type ReversibleChange } from '../ddl/transactional.ts'
import type { RunContext } from '../kind/kind.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { constraintName } from './objectNames.ts'

/** Adds the CHECK constraint with the types of the rollout file, NOT VALID. */
export function addConstraintChange(rollout: Rollout): ReversibleChange {
  const name = quoteIdentifier(constraintName(rollout))
  const column = rollout.discriminator.sql
  const table = rollout.table.sql
  const types = rollout.types.map((type) => `${quoteLiteral(type)}::${rollout.discriminator.dataType}`).join(', ')
  const notNull = rollout.file.constraint === 'notNull' ? `${column} is not null and ` : ''
  return {
    kind: 'constraint',
    object: `${name} on ${table}`,
    statement: `alter table ${table} add constraint ${name} check (${notNull}${column} in (${types})) not valid`,
    inverse: `alter table ${table} drop constraint if exists ${name}`,
    definitionSql: catalogDefinition.constraint(table, constraintName(rollout)),
    definitionAfterRevert: null,
  }
}

/** Adds the constraint if it does not exist, and validates it without blocking writes. */
export async function ensureConstraint(run: RunContext, sql: Sql): Promise<void> {
  const { rollout } = run
  const name = constraintName(rollout)
  const [existing] = await run.database.state<{ validated: boolean }[]>`
    select convalidated as validated from pg_constraint
    where conrelid = to_regclass(${rollout.table.sql}) and conname = ${name}`
  if (existing?.validated) return
  await run.failpoint('constraint.looked')
  if (existing === undefined)
    await runDdl(run, sql, { description: 'adding the constraint', steps: [addConstraintChange(rollout)] })
  await run.failpoint('constraint.added')
  const validate = `alter table ${rollout.table.sql} validate constraint ${quoteIdentifier(name)}`
  await runNonTransactional(run, sql, 'validating the constraint', validate)
  await run.failpoint('constraint.validated')
  await run.recordEvent('ddl', `Constraint ${name} exists and is validated`)
}

/** PostgreSQL relies on the validated CHECK constraint and does not scan the table under its lock. */
export async function setNotNull(run: RunContext, sql: Sql): Promise<void> {
  const { rollout } = run
  const alter = `alter table ${rollout.table.sql} alter column ${rollout.discriminator.sql}`
  await runDdl(run, sql, {
    description: 'setting NOT NULL',
    steps: [
      {
        kind: 'not-null',
        object: `${rollout.table.sql}.${rollout.discriminator.sql} not null`,
        statement: `${alter} set not null`,
        inverse: `${alter} drop not null`,
        definitionSql: catalogDefinition.notNull(rollout.table.sql, rollout.discriminator.column),
        definitionAfterRevert: 'nullable',
      },
    ],
  })
}
