import fc from 'fast-check'
import postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { connect } from '../../agent/src/database/connect.ts'
import { migrate } from '../../agent/src/database/migrate.ts'
import { deriveFunctionChange, dualWriteTriggerChanges } from '../../agent/src/dualWrite/deriveTrigger.ts'
import { reverseSyncChange } from '../../agent/src/dualWrite/reverseSync.ts'
import { cannotRaise } from '../../agent/src/rollout/cannotRaise.ts'
import { checkAgainstTable } from '../../agent/src/rollout/checkAgainstTable.ts'
import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import { inspectTable } from '../../agent/src/rollout/inspectTable.ts'
import { withDatabase } from '../support/database.ts'
import { COLUMN_SHAPES, type ColumnShape } from './columnShapes.ts'
import { insertRow, updateRow, type Refusal, type Row, type RowModel, type Write } from './rowModel.ts'

/** Sequences that are drawn per shape of column. */
const SEQUENCES = Number(process.env['STI_MODEL_SEQUENCES'] ?? 25)
const MAX_STEPS = 10

/** Ways in which a row arrives. If the row exists, the same write is an UPDATE, or the UPDATE of an upsert or a MERGE. */
const ARRIVALS = ['insert', 'multi-row insert', 'copy', 'insert select', 'upsert', 'merge'] as const
const COLUMNS = ['c', 'weight', 'region', 'type'] as const

interface Step {
  readonly way: (typeof ARRIVALS)[number] | 'update'
  readonly id: number
  readonly write: Write
}

describe.each(COLUMN_SHAPES.map((shape) => [shape.name, shape] as const))('%s', (_, shape) => {
  const model: RowModel = { notNull: false, ...shape.model }
  const full = (c: Row['c'], type: string): Write => ({ c, weight: 11, region: 'west', type })

  test('every type, in every way in which a row arrives or changes', async () => {
    await withShape(shape, async (sql) => {
      const sequences: Step[][] = []
      for (const type of ['A', 'B']) {
        for (const way of ARRIVALS) {
          sequences.push([{ way, id: 1, write: { type } }], [{ way, id: 1, write: { type, weight: 11 } }])
          for (const c of shape.values)
            sequences.push(
              [{ way, id: 1, write: { c, type } }],
              [
                { way: 'insert', id: 1, write: { c, weight: 11 } },
                { way, id: 1, write: { type } },
              ],
            )
        }
        for (const c of shape.values) {
          const first: Step = { way: 'insert', id: 1, write: { c, weight: 11 } }
          sequences.push([first, { way: 'update', id: 1, write: full(c, type) }])
          for (const other of shape.values) sequences.push([first, { way: 'update', id: 1, write: { c: other } }])
          for (const other of shape.values) sequences.push([first, { way: 'update', id: 1, write: full(other, type) }])
        }
      }
      for (const sequence of sequences) await compareWithModel(sql, model, sequence)
    })
  })

  test('drawn sequences of writes', async () => {
    const region = shape.partitioned ? ['west', 'east'] : ['west']
    const write = fc.record(
      {
        c: fc.constantFrom(...shape.values),
        weight: fc.constantFrom(5, 11, null),
        region: fc.constantFrom(...region),
        type: fc.constantFrom('A', 'B', 'A', 'B', null),
      },
      { requiredKeys: [] },
    )
    const step: fc.Arbitrary<Step> = fc.record({
      way: fc.constantFrom(...ARRIVALS, 'update' as const, 'update' as const),
      id: fc.integer({ min: 1, max: 3 }),
      write,
    })
    const steps = fc.array(step, { minLength: 1, maxLength: MAX_STEPS })
    await withShape(shape, async (sql) => {
      await fc.assert(
        fc.asyncProperty(steps, (sequence) => compareWithModel(sql, model, sequence)),
        { numRuns: SEQUENCES },
      )
    })
  })
})

/** Runs the steps on an empty table and on the model, and compares the written row, or the refusal, after each of them. */
async function compareWithModel(sql: postgres.Sql, model: RowModel, steps: readonly Step[]): Promise<void> {
  const rows = new Map<number, Row>()
  await sql.unsafe('begin')
  try {
    for (const [i, step] of steps.entries()) {
      const old = rows.get(step.id)
      if (old === undefined && step.way === 'update') continue
      const expected = expectedRow(model, step, old, await nextIdentity(sql, model))
      const found = await runStep(sql, step, old)
      expect(found, `step ${i + 1} of ${JSON.stringify(steps)}`).toEqual(expected)
      if (typeof expected !== 'string') rows.set(step.id, expected)
    }
  } finally {
    await sql.unsafe('rollback')
  }
}

function expectedRow(model: RowModel, { way, write }: Step, old: Row | undefined, identity: number): Row | Refusal {
  if (old === undefined) return insertRow(model, write, identity)
  if (way !== 'upsert') return updateRow(model, old, write)
  // The row that the INSERT proposes passes its triggers and constraints first.
  const proposed = insertRow(model, { ...write, region: old.region }, identity)
  if (typeof proposed === 'string') return proposed
  return updateRow(model, old, Object.fromEntries(namedColumns(write).map((column) => [column, proposed[column]])))
}

async function nextIdentity(sql: postgres.Sql, model: RowModel): Promise<number> {
  if (model.initial !== 'identity') return 0
  const [row] = await sql`select (last_value + is_called::int)::int as next from public.things_c_seq`
  return row!['next'] as number
}

/** The row after the step, or the SQLSTATE that refused it. */
async function runStep(sql: postgres.Sql, step: Step, old: Row | undefined): Promise<Row | string> {
  await sql.unsafe('savepoint step')
  try {
    await sql.unsafe(step.way === 'copy' && old === undefined ? copyStatement(step) : statementOf(step, old))
  } catch (error) {
    await sql.unsafe('rollback to step')
    return String((error as postgres.PostgresError).code)
  }
  const [row] = await sql.unsafe<Row[]>(`select c, weight, region, type from public.things where id = ${step.id}`)
  return { ...row! }
}

const namedColumns = (write: Write): (typeof COLUMNS)[number][] =>
  COLUMNS.filter((column) => write[column] !== undefined)

function statementOf({ way, id, write }: Step, old: Row | undefined): string {
  const named = namedColumns(old !== undefined && way === 'upsert' ? { ...write, region: old.region } : write)
  const values = named.map((column) =>
    literal(way === 'upsert' && column === 'region' && old ? old.region : write[column]),
  )
  const columns = ['id', ...named].join(', ')
  const row = [id, ...values].join(', ')
  const assignments = namedColumns(write).map((column) => `${column} = ${literal(write[column])}`)
  const set = assignments.length === 0 ? 'weight = weight' : assignments.join(', ')
  const insert = `insert into public.things (${columns})`
  if (way === 'merge')
    return `merge into public.things t using (select ${id} as id) s on t.id = s.id when matched then update set ${set}
      when not matched then insert (${columns}) values (${row})`
  if (way === 'upsert') {
    const excluded = namedColumns(write)
      .filter((column) => column !== 'region')
      .map((column) => `${column} = excluded.${column}`)
    return `${insert} values (${row}) on conflict (id, region) do update set ${excluded.length === 0 ? 'weight = things.weight' : excluded.join(', ')}`
  }
  if (old !== undefined) return `update public.things set ${set} where id = ${id}`
  if (way === 'insert select') return `${insert} select ${row}`
  // The other row of the statement is not looked at again.
  if (way === 'multi-row insert') return `${insert} values (${row}), (${[-id, ...values].join(', ')})`
  return `${insert} values (${row})`
}

/** The server itself reads the row: a COPY that is refused would leave a client's stream open. */
function copyStatement({ id, write }: Step): string {
  const named = namedColumns(write)
  const fields = named.map((column) => (write[column] === null ? 'NULL' : String(write[column])))
  return `copy public.things (${['id', ...named].join(', ')}) from program 'echo ${[id, ...fields].join(',')}' with (format csv, null 'NULL')`
}

const literal = (value: Row['c'] | undefined): string =>
  value === null || value === undefined ? 'null' : typeof value === 'string' ? `'${value}'` : String(value)

/** A table with both ways of the dual-write trigger, as expand and finalize create them. */
async function withShape(shape: ColumnShape, use: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url }) => {
    const sql = postgres(url, { max: 1, onnotice: () => undefined })
    const database = connect(url, 'a')
    try {
      await sql.unsafe(`${shape.before ?? 'select 1'};
        create table public.things (id int not null, ${shape.column}, weight int, region text not null default 'west',
          type text check (type in ('A', 'B')), primary key (id, region)) ${shape.partitioned ? 'partition by list (region)' : ''};
        ${shape.partitioned ? `create table public.west partition of public.things for values in ('west'); create table public.east partition of public.things for values in ('east')` : ''}`)
      const { rollout, faults } = compileRollout('things.yaml', toFile(shape))
      if (rollout === undefined) throw new Error(faults.join('\n'))
      await migrate(database, true)
      const table = await inspectTable(database.state, rollout)
      expect(await checkAgainstTable(database.state, rollout, table)).toEqual([])
      for (const change of [
        deriveFunctionChange(rollout, cannotRaise(rollout, table), table),
        ...dualWriteTriggerChanges(rollout, table),
        reverseSyncChange(rollout, table),
      ])
        await sql.unsafe(change.statement)
      await use(sql)
    } finally {
      await database.close()
      await sql.end({ timeout: 2 })
    }
  })
}

const toFile = ({ when, restore, permanentColumns = '' }: ColumnShape): string => `rollout: things
table: public.things
types: [{ name: A, when: ${JSON.stringify(when)}, restore: { c: ${restore.A} } }]
otherwise: { name: B, restore: { c: ${restore.B} } }
legacyColumns: [c]
permanentColumns: [${permanentColumns}]
flag: { key: things-sti }
`
