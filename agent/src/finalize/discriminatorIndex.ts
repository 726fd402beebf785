import type { Sql } from '../database/connect.ts'
import { assertClaimHeld, runNonTransactional } from '../ddl/nonTransactional.ts'
import { journalInsertSql, runDdl, type ReversibleChange } from '../ddl/transactional.ts'
import type { RunContext } from '../kind/kind.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'
import { quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { indexName, partitionIndexName } from './objectNames.ts'

/** The index on the discriminator of the whole table. */
export function createIndexChange(rollout: Rollout, table: string, partitioned: boolean): ReversibleChange {
  return indexChange(
    rollout,
    { table, schema: quoteIdentifier(rollout.table.schema), name: indexName(rollout) },
    !partitioned,
  )
}

/**
 * Creates the index if it does not exist. CONCURRENTLY runs outside a transaction, so the change is journaled before and
 * confirmed after it. A failed attempt leaves an INVALID index, which is dropped before the next one. A partitioned table
 * gets its index partition by partition; the index of the whole table then attaches them and is created instantly.
 */
export async function ensureIndex(run: RunContext, sql: Sql, table: Table): Promise<void> {
  const { rollout } = run
  const tableIndex = createIndexChange(rollout, rollout.table.sql, table.partitioned)
  if (!table.partitioned)
    return await ensureIndexConcurrently(run, sql, { oid: table.oid, name: indexName(rollout) }, tableIndex)
  if ((await readIndexState(run.database.state, table.oid, indexName(rollout)))?.valid) return
  for (const partition of table.partitions) {
    const schema = await readSchemaName(run.database.state, partition.oid)
    const name = partitionIndexName(rollout, partition.oid)
    const partitionIndex = indexChange(rollout, { table: partition.sql, schema, name }, true)
    await ensureIndexConcurrently(run, sql, { oid: partition.oid, name }, partitionIndex)
  }
  await runDdl(run, sql, { description: 'creating the index of the whole table', steps: [tableIndex] })
  await run.recordEvent('ddl', `Index ${indexName(rollout)} exists`)
}

async function ensureIndexConcurrently(
  run: RunContext,
  sql: Sql,
  index: { oid: number; name: string },
  change: ReversibleChange,
): Promise<void> {
  const { state } = run.database
  const existing = await readIndexState(state, index.oid, index.name)
  await run.failpoint('index.looked')
  if (!existing?.valid) {
    if (existing === null) await requireFreeName(state, change.object)
    await assertClaimHeld(run)
    await journalOnce(run, change)
    await run.failpoint('index.journaled')
    const description = `creating index ${index.name}`
    if (existing !== null) {
      await run.recordEvent(
        'ddl',
        `Index ${index.name} is INVALID because an earlier attempt was interrupted; dropping it`,
      )
      await run.failpoint('index.invalid')
      await runNonTransactional(run, sql, description, `drop index concurrently if exists ${change.object}`)
      await run.failpoint('index.dropped')
    }
    await runNonTransactional(run, sql, description, change.statement)
    await run.failpoint('index.made')
    await run.recordEvent('ddl', `Index ${index.name} exists`)
    await run.failpoint('index.told')
  }
  await state.unsafe(
    `update sti.change set confirmed_at = clock_timestamp(), definition_after_apply = ${change.definitionSql}
    where rollout = $1::text and object = $2::text and confirmed_at is null and reverted_at is null`,
    [run.rollout.name, change.object],
  )
  await run.failpoint('index.confirmed')
}

/** An interrupted attempt may have journaled the change already. */
async function journalOnce(run: RunContext, change: ReversibleChange): Promise<void> {
  const { state } = run.database
  const journaled = await state`
    select from sti.change where rollout = ${run.rollout.name} and object = ${change.object} and reverted_at is null`
  if (journaled.length === 0) await state.unsafe(journalInsertSql(run, change, false))
}

function indexChange(
  rollout: Rollout,
  target: { table: string; schema: string; name: string },
  concurrently: boolean,
): ReversibleChange {
  const object = `${target.schema}.${quoteIdentifier(target.name)}`
  return {
    kind: 'index',
    object,
    statement: `create index ${concurrently ? 'concurrently ' : ''}${quoteIdentifier(target.name)} on ${target.table} (${rollout.discriminator.sql})`,
    inverse: `drop index if exists ${object}`,
    definitionSql: catalogDefinition.index(object),
    definitionAfterRevert: null,
  }
}

async function readIndexState(sql: Sql, table: number, name: string): Promise<{ valid: boolean } | null> {
  const [row] = await sql<{ valid: boolean }[]>`
    select i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = ${table}::oid and c.relname = ${name}`
  return row ?? null
}

/** The name may be taken: the application replaced the table by another of its name, and the earlier one has the index. */
async function requireFreeName(sql: Sql, object: string): Promise<void> {
  const [holder] = await sql<{ table: string | null }[]>`
    select (select i.indrelid::regclass::text from pg_index i where i.indexrelid = c.oid) as table
    from pg_class c where c.oid = to_regclass(${object})`
  if (holder === undefined) return
  const owner = holder.table === null ? 'another object' : `an index of ${holder.table}`
  throw new OperationPausedError(
    `${object} is ${owner}, so the index on the type cannot have this name. Run ALTER INDEX ${object} RENAME TO another name, then resume.`,
  )
}

async function readSchemaName(sql: Sql, table: number): Promise<string> {
  const [row] = await sql<{ schema: string }[]>`
    select quote_ident(n.nspname) as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = ${table}::oid`
  return row!.schema
}
