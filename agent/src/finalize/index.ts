import type { Sql } from '../database/connect.ts'
import { demandClaim, runAlone } from '../engine/concurrently.ts'
import { journal, runDdl, type Change } from '../engine/ddl.ts'
import type { Run } from '../engine/kind.ts'
import { look } from '../engine/look.ts'
import { ours } from '../engine/ours.ts'
import { quote } from '../rollout/names.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { indexName, partitionIndexName } from './names.ts'

/** The index on the discriminator of a table or of one partition. */
export function createIndex(rollout: Rollout, table: string, partitioned: boolean): Change {
  return change(rollout, { table, schema: quote(rollout.table.schema), name: indexName(rollout) }, !partitioned)
}

/**
 * Makes the index if it is not there. CONCURRENTLY runs outside a transaction: journaled before, confirmed after. One
 * that failed leaves an INVALID index, which is dropped before the next try. A partitioned table gets its index
 * partition by partition; the one of the whole table then finds them there and is made at once.
 */
export async function makeIndex(run: Run, sql: Sql, table: Table): Promise<void> {
  const { rollout } = run
  const whole = createIndex(rollout, rollout.table.sql, table.partitioned)
  if (!table.partitioned) return await makeConcurrently(run, sql, { oid: table.oid, name: indexName(rollout) }, whole)
  if ((await indexState(run.database.state, table.oid, indexName(rollout)))?.valid) return
  for (const partition of table.partitions) {
    const schema = await schemaOf(run.database.state, partition.oid)
    const name = partitionIndexName(rollout, partition.oid)
    const own = change(rollout, { table: partition.sql, schema, name }, true)
    await makeConcurrently(run, sql, { oid: partition.oid, name }, own)
  }
  await runDdl(run, sql, { what: 'making the index of the whole table', steps: [whole] })
  await run.event('ddl', `index ${indexName(rollout)} is there`)
}

async function makeConcurrently(
  run: Run,
  sql: Sql,
  index: { oid: number; name: string },
  wanted: Change,
): Promise<void> {
  const { state } = run.database
  const before = await indexState(state, index.oid, index.name)
  await run.reached('index.looked')
  if (!before?.valid) {
    await demandClaim(run)
    await journalOnce(run, wanted)
    await run.reached('index.journaled')
    const what = `making index ${index.name}`
    if (before !== null) {
      await run.event('ddl', `index ${index.name} is INVALID, left by a try that was cut off: it is dropped`)
      await run.reached('index.invalid')
      await runAlone(run, sql, what, `drop index concurrently if exists ${wanted.object}`)
      await run.reached('index.dropped')
    }
    await runAlone(run, sql, what, ours(wanted.statement))
    await run.reached('index.made')
    await run.event('ddl', `index ${index.name} is there`)
    await run.reached('index.told')
  }
  await state.unsafe(
    `update sti.change set confirmed_at = clock_timestamp(), made = ${wanted.look}
    where rollout = $1::text and object = $2::text and confirmed_at is null and reverted_at is null`,
    [run.rollout.name, wanted.object],
  )
  await run.reached('index.confirmed')
}

/** A try that was cut off before its index began has been journaled already. */
async function journalOnce(run: Run, wanted: Change): Promise<void> {
  const { state } = run.database
  const open = await state`
    select from sti.change where rollout = ${run.rollout.name} and object = ${wanted.object} and reverted_at is null`
  if (open.length === 0) await state.unsafe(journal(run, wanted, false))
}

function change(rollout: Rollout, of: { table: string; schema: string; name: string }, concurrently: boolean): Change {
  const object = `${of.schema}.${quote(of.name)}`
  return {
    kind: 'index',
    object,
    statement: `create index ${concurrently ? 'concurrently ' : ''}${quote(of.name)} on ${of.table} (${rollout.discriminator.sql})`,
    inverse: `drop index if exists ${object}`,
    look: look.index(object),
    back: null,
  }
}

async function indexState(sql: Sql, table: number, name: string): Promise<{ valid: boolean } | null> {
  const [row] = await sql<{ valid: boolean }[]>`
    select i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = ${table}::oid and c.relname = ${name}`
  return row ?? null
}

async function schemaOf(sql: Sql, table: number): Promise<string> {
  const [row] = await sql<{ schema: string }[]>`
    select quote_ident(n.nspname) as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = ${table}::oid`
  return row!.schema
}
