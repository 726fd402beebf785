import type { Sql } from '../database/connect.ts'
import { runAlone } from '../engine/concurrently.ts'
import { runDdl, type Change } from '../engine/ddl.ts'
import type { Run } from '../engine/kind.ts'
import { look } from '../engine/look.ts'
import { ours } from '../engine/ours.ts'
import { literal, quote } from '../rollout/names.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { constraintName } from './names.ts'

/** The constraint that names the file's types, not validated yet. */
export function addConstraint(rollout: Rollout): Change {
  const name = quote(constraintName(rollout))
  const column = rollout.discriminator.sql
  const table = rollout.table.sql
  const types = rollout.types.map((type) => `${literal(type)}::${rollout.discriminator.dataType}`).join(', ')
  const notNull = rollout.file.constraint === 'notNull' ? `${column} is not null and ` : ''
  return {
    kind: 'constraint',
    object: `${name} on ${table}`,
    statement: `alter table ${table} add constraint ${name} check (${notNull}${column} in (${types})) not valid`,
    inverse: `alter table ${table} drop constraint if exists ${name}`,
    look: look.constraint(table, constraintName(rollout)),
    back: null,
  }
}

/** Adds it if it is not there, and validates it while writes go on. */
export async function makeConstraint(run: Run, sql: Sql): Promise<void> {
  const { rollout } = run
  const name = constraintName(rollout)
  const [there] = await run.database.state<{ validated: boolean }[]>`
    select convalidated as validated from pg_constraint
    where conrelid = to_regclass(${rollout.table.sql}) and conname = ${name}`
  if (there?.validated) return
  await run.reached('constraint.looked')
  if (there === undefined) await runDdl(run, sql, { what: 'adding the constraint', steps: [addConstraint(rollout)] })
  await run.reached('constraint.added')
  const validate = `alter table ${rollout.table.sql} validate constraint ${quote(name)}`
  await runAlone(run, sql, 'validating the constraint', ours(validate))
  await run.reached('constraint.validated')
  await run.event('ddl', `constraint ${name} is there and validated`)
}

/** The validated CHECK proves it, so that PostgreSQL does not scan under its lock. */
export async function setNotNull(run: Run, sql: Sql): Promise<void> {
  const { rollout } = run
  const alter = `alter table ${rollout.table.sql} alter column ${rollout.discriminator.sql}`
  await runDdl(run, sql, {
    what: 'setting NOT NULL',
    steps: [
      {
        kind: 'not-null',
        object: `${rollout.table.sql}.${rollout.discriminator.sql} not null`,
        statement: `${alter} set not null`,
        inverse: `${alter} drop not null`,
        look: look.notNull(rollout.table.sql, rollout.discriminator.column),
        back: 'nullable',
      },
    ],
  })
}
