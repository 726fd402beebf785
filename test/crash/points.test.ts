import { waitFor } from '../support/waitFor.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { FAILPOINT_NAMES, type FailpointName } from '../../agent/src/kind/failpoints.ts'
import { withSession } from '../support/faultInjection.ts'
import { withDatabase, withDedicatedServer } from '../support/database.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { findJournalFaults } from './journalFaults.ts'
import {
  takeEngineWrites,
  readLaneSums,
  createLegacyTable,
  allowUpdates,
  insertNamedRows,
  refuseUpdates,
  TRIGGERS_FILE_PART,
} from './legacyTable.ts'
import { startAgentRelay, type CrashSchedule, type AgentRelay } from './agentRelay.ts'
import {
  compareWithOracle,
  readOracle,
  startRandomWriters,
  summarizeMismatches,
  type ExpectedTypeColumn,
  type VehicleOracle,
  type RandomWriters,
} from './randomWriters.ts'

/**
 * In the first round, an agent is killed the first time that it reaches each point; in later rounds, after a delay or
 * at a later time.
 */
const ROUNDS = Number(process.env['STI_CRASH_ROUNDS'] ?? 1)
const ROWS = 1_500
const SOAK_SECONDS = 2
const BACKFILL = { batchSize: 50, checkpointInterval: 3, workers: 2 }

const kills: FailpointName[] = []
const found: string[] = []

interface RelayedRollout {
  readonly url: string
  readonly sql: postgres.Sql
  readonly relay: AgentRelay
  readonly oracle: VehicleOracle
  readonly writers: RandomWriters
  /** Points at which no agent has been killed in this round. */
  readonly left: ReadonlySet<FailpointName>
  /** Called while no agent runs, after one was killed at this point. */
  once(point: FailpointName, then: () => Promise<void>): void
  /** Compares table and journal with their expected state. */
  compare(expected: ExpectedTypeColumn, except?: ReadonlySet<string>): Promise<void>
}

async function withRelayedRollout(
  file: string,
  ours: boolean,
  left: Set<FailpointName>,
  round: number,
  live: (life: RelayedRollout) => Promise<void>,
  within: typeof withDedicatedServer = withDatabase,
): Promise<void> {
  await within(async ({ url, sql }) => {
    await createLegacyTable(sql, ROWS, 0.01)
    if (!ours) await sql`alter table public.vehicles add column type text`
    const oracle = await readOracle(sql)
    const hooks = new Map<FailpointName, () => Promise<void>>()
    const killing: CrashSchedule = {
      points: left,
      how: () =>
        round === 0
          ? { arrival: 1, delayMs: 0 }
          : { arrival: 1 + Math.floor(Math.random() * 2), delayMs: Math.floor(Math.random() * 30) },
      async died(point) {
        kills.push(point)
        // Statements of the killed agent may still run; each one takes effect completely or not at all.
        expect({ point, faults: await findJournalFaults(sql, ours) }).toEqual({ point, faults: [] })
        await hooks.get(point)?.()
        hooks.delete(point)
      },
    }
    const relay = await startAgentRelay(url, sql, file, killing)
    const writers = startRandomWriters(url, oracle, 3)
    try {
      await live({
        url,
        sql,
        relay,
        oracle,
        writers,
        left,
        once: (point, then) => hooks.set(point, then),
        async compare(expected, except) {
          await writers.pause()
          const differing = await compareWithOracle(sql, oracle, expected, except)
          found.push(...differing)
          expect(differing.slice(0, 5)).toEqual([])
          expect(await findJournalFaults(sql, ours)).toEqual([])
          writers.resume()
        },
      })
    } finally {
      await relay.stop()
      await writers.stop()
    }
    expect(writers.writes()).toBeGreaterThan(100)
  })
}

/** A column that expand adds, NOT NULL, the flag on and off, and a complete rollback. */
async function runWholeRollout(life: RelayedRollout): Promise<void> {
  const { sql, relay } = life
  const wrong = await insertNamedRows(sql, 'left', 5)
  wrong.forEach((id) => life.oracle.set(id, { is_truck: true, is_bike: false, axles: null }))
  await relay.run('expand')
  await life.compare('derived', new Set(life.oracle.keys()))
  // Writes past the trigger after the lanes have passed those rows and before the sweep.
  const pastTheTrigger = (): Promise<void> =>
    withSession(life.url, async (session) => {
      await session.unsafe(`begin; alter table public.vehicles disable trigger "~sti_derive";
        update public.vehicles set type = 'Boat' where name = 'named left';
        alter table public.vehicles enable always trigger "~sti_derive"; commit`)
    })
  life.once('backfill.lane-finished', pastTheTrigger)
  life.once('sweep.written', pastTheTrigger)
  const backfill = await relay.run('backfill', BACKFILL)
  const lanes = await readLaneSums(sql, backfill.id)
  expect(backfill.result).toMatchObject({ failedRows: 0, writtenRows: lanes.written })
  expect(await takeEngineWrites(sql)).toBe(lanes.written)
  await life.compare('derived')
  expect((await relay.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
  await finalizeTwice(life, 'named left')
  await life.compare('derived')
  expect((await relay.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
  await relay.run('monitoring')
  await relay.run('rollback', { scope: 'monitoring' })
  expect(await settingsOfDatabase(sql)).toEqual([])
  // Two steps, each set once, whichever agent is killed in between.
  await relay.run('flag', { enabled: true, ramp: true })
  await relay.run('rollback', { scope: 'flag' })
  expect(await readFlag(sql)).toEqual({ enabled: false, changes: 3 })
  await relay.run('flag', { enabled: true, percentage: 100 })
  await relay.run('rollback', { scope: 'data', confirm: 'vehicles' })
  expect(await readFlag(sql)).toEqual({ enabled: false, changes: 5 })
  await life.compare('no column')
}

/** A rehearsal, and a complete rollback change by change. */
async function rollBackEverything({ sql, relay, compare }: RelayedRollout): Promise<void> {
  for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await relay.run(kind)
  const rehearsal = await relay.run('rehearsal', { sample: 500 })
  expect(rehearsal.result?.['scopes']).toHaveLength(2)
  const [left] = await sql<{ n: number }[]>`
    select count(*)::int as n from pg_namespace where nspname like 'sti\\_rehearsal%'`
  expect(left!.n).toBe(0)
  await relay.run('monitoring')
  await relay.run('flag', { enabled: true, percentage: 100 })
  const rollback = await relay.run('rollback', { scope: 'system', confirm: 'vehicles' })
  expect(rollback.result).toMatchObject({ left: [], origin: { structure: 'as before expand' } })
  expect(await settingsOfDatabase(sql)).toEqual([])
  expect((await readFlag(sql)).enabled).toBe(false)
  await compare('no column')
}

/**
 * The archive of a column drop, created and removed while new code writes, which uses only the type. It needs a
 * separate server, since other tests evict entries from pg_stat_statements.
 */
async function prepareAndRemoveArchive(life: RelayedRollout): Promise<void> {
  const { sql, relay, oracle, writers } = life
  const typed = await insertNamedRows(sql, 'typed', 20)
  const past = await insertNamedRows(sql, 'past', 5)
  past.forEach((id) => oracle.set(id, { is_truck: true, is_bike: false, axles: null }))
  for (const kind of ['expand', 'backfill'] as const) await relay.run(kind)
  await relay.run('validation', { layers: ['integrity'] })
  await relay.run('finalize')
  await writers.pause()
  // The type does not express that a truck is a bike, too, and such content would refuse the column drop.
  const both = await sql<{ id: string }[]>`
    update public.vehicles set is_bike = false where is_truck and is_bike returning id`
  both.forEach(({ id }) => oracle.set(id, { ...oracle.get(id)!, is_bike: false }))
  await relay.run('flag', { enabled: true, percentage: 100 })
  // The state of the test machine is irrelevant here.
  await relay.run('validation', { layers: ['integrity'] })
  await waitForSoak(sql)
  const newCode = startNewCode(sql, oracle, typed)
  // Writes past the triggers of the archive.
  life.once('archive.completed', () =>
    withSession(life.url, async (session) => {
      await session.unsafe(`begin; alter table public.vehicles disable trigger "~sti_archive_update";
        update public.vehicles set type = 'Car' where name = 'named past';
        alter table public.vehicles enable always trigger "~sti_archive_update"; commit`)
      past.forEach((id) => oracle.set(id, { is_truck: false, is_bike: false, axles: null }))
    }),
  )
  const { result } = await relay.run('column-drop', { validateData: false, confirm: 'vehicles' })
  expect(result).toMatchObject({ reasons: [], prepared: true })
  expect(await archiveDifferences(sql)).toBe(0)
  await relay.run('archive-removal', { confirm: 'vehicles' })
  const removals = await sql<{ kept: boolean }[]>`
    select before->'archive'->'verified'->>'differing' = '0' as kept from sti.operation_event
    where kind = 'archive' and message like 'removed archive %'`
  expect([...removals]).toEqual([{ kept: true }])
  await newCode.stop()
  await life.compare('derived')
}

/** Waits until the flag has been at 100% and watched for the soak time. */
async function waitForSoak(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<{ enough: boolean | null }[]>`
      select /* sti */ greatest((select watched_since from sti.statement_watch), (select watched_since from sti.flag_watch))
        < clock_timestamp() - ${SOAK_SECONDS + 0.5} * interval '1 s' as enough`
    if (row?.enough === true) return
    await sleep(100)
  }
}

/** The rows that are missing on one side or differ. */
async function archiveDifferences(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ differing: number }[]>`
    select /* sti */ count(*)::int as differing from public.vehicles t full join sti.columns_vehicles a on a.id = t.id
    where (t.id, t.is_truck, t.is_bike, t.type) is distinct from (a.id, a.is_truck, a.is_bike, a.type)`
  return row!.differing
}

/** Writes types of these rows, and records the resulting legacy columns in the oracle. */
function startNewCode(sql: postgres.Sql, oracle: VehicleOracle, ids: readonly string[]): { stop(): Promise<void> } {
  let writing = true
  const write = async (): Promise<void> => {
    for (let n = 0; writing; n++) {
      const id = ids[n % ids.length]!
      const type = ['Truck', 'Bike', 'Car'][n % 3]!
      await sql`update public.vehicles set type = ${type} where id = ${id}`
      oracle.set(id, { is_truck: type === 'Truck', is_bike: type === 'Bike', axles: null })
      await sleep(5)
    }
  }
  for (const id of ids) oracle.set(id, { is_truck: true, is_bike: false, axles: null })
  const running = write()
  running.catch(() => undefined)
  return {
    async stop() {
      writing = false
      await running
    },
  }
}

/** Finalize whose first index is left INVALID by a lost connection. */
async function finalizeTwice({ url, sql, relay, left }: RelayedRollout, name: string): Promise<void> {
  const cut = left.has('index.invalid') || left.has('index.dropped')
  const id = await withSession(url, async (session) => {
    // CONCURRENTLY waits for every older transaction.
    if (cut) await session.unsafe('begin')
    if (cut) await session`update public.vehicles set name = name where name = ${name}`
    const asked = await relay.request('finalize')
    while (cut) {
      const [index] = await sql`
        select from pg_index where indexrelid = to_regclass('public.sti_vehicles_type_idx') and not indisvalid`
      if (index) break
      await sleep(20)
    }
    if (cut)
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'sti % finalize'`
    await session.unsafe('commit')
    return asked
  })
  expect(await relay.ended(id)).toMatchObject({ state: 'succeeded', error: null })
}

async function settingsOfDatabase(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ setconfig: string[] }[]>`
    select setconfig from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where d.datname = current_database()`
  return rows.flatMap(({ setconfig }) => setconfig)
}

async function readFlag(sql: postgres.Sql): Promise<{ enabled: boolean; changes: number }> {
  const [row] = await sql<{ enabled: boolean; changes: number }[]>`
    select enabled, (select count(*)::int from sti.operation_event where kind = 'flag') as changes from sti.flag`
  return { ...row! }
}

/** A backfill that fails with a requested rollback of the data. */
async function runFailingBackfill({ sql, relay, oracle, compare }: RelayedRollout): Promise<void> {
  const refused = await insertNamedRows(sql, 'refused', 5)
  refused.forEach((id) => oracle.set(id, { is_truck: true, is_bike: false, axles: null }))
  await refuseUpdates(sql, 'refused')
  await relay.run('expand')
  const backfill = await relay.request('backfill', { ...BACKFILL, rollbackOnError: 'data' })
  expect(await relay.ended(backfill)).toMatchObject({ state: 'failed', errorCode: 'error-budget' })
  // No request is needed: the rollback is still due after an agent was killed at this moment.
  for (;;) {
    const [rollback] = await sql`select state from sti.operation where kind = 'rollback' and state = 'succeeded'`
    if (rollback) break
    await sleep(50)
  }
  await compare('no column')
}

/** A column that existed before, a locked table, refused rows, a pause, and a complete rollback. */
async function runWithContrarySession(life: RelayedRollout): Promise<void> {
  const { url, sql, relay, left } = life
  const refused = await insertNamedRows(sql, 'refused', 3)
  const sticky = await insertNamedRows(sql, 'sticky', 2)
  const named = [...refused, ...sticky]
  named.forEach((id) => life.oracle.set(id, { is_truck: true, is_bike: false, axles: null }))
  await refuseUpdates(sql, 'refused')
  const locks = await withSession(url, async (session) => {
    await session.unsafe('begin; select from public.vehicles limit 1')
    const id = await relay.request('expand')
    while (left.has('ddl.refused') || left.has('ddl.waiting')) await sleep(20)
    await session.unsafe('commit')
    return id
  })
  expect(await relay.ended(locks)).toMatchObject({ state: 'succeeded', error: null })
  const backfill = await relay.request('backfill', BACKFILL)
  // A queued backfill is paused without an agent.
  await waitFor(
    'an agent runs it',
    async () => (await sql`select from sti.operation where id = ${backfill} and state = 'running'`).count === 1,
  )
  await relay.steer(backfill, 'pause')
  expect(await relay.ended(backfill)).toMatchObject({ state: 'paused', error: null })
  await relay.steer(backfill, 'resume')
  let ended = await relay.ended(backfill)
  // It is paused until someone has checked the queue.
  while (ended.state === 'paused') ended = await relay.ended(backfill)
  const lanes = await readLaneSums(sql, backfill)
  expect(ended).toMatchObject({ state: 'succeeded', result: { failedRows: 3, writtenRows: lanes.written } })
  expect(await takeEngineWrites(sql)).toBe(lanes.written)
  await life.compare('derived', new Set(refused))
  await allowUpdates(sql, 'refused')
  expect((await relay.run('backfill', { failedRowsOnly: true })).result).toMatchObject({ failedRows: 0 })
  await life.compare('derived')
  expect((await relay.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
  await finalizeTwice(life, 'named sticky')
  await life.compare('derived')
  await refuseUpdates(sql, 'sticky')
  life.writers.touched()
  const rollback = await relay.request('rollback', { scope: 'data', confirm: 'vehicles' })
  expect(await relay.ended(rollback)).toMatchObject({ state: 'failed', errorCode: 'rows-left' })
  // Values written after the trigger was dropped belong to others.
  const theirs = life.writers.touched()
  await life.compare('cleared', new Set([...sticky, ...theirs]))
  await allowUpdates(sql, 'sticky')
  await relay.run('rollback', { scope: 'data', confirm: 'vehicles' })
  await life.compare('cleared', new Set([...theirs, ...life.writers.touched()]))
}

test(
  `an agent killed at every point of a rollout, ${ROUNDS} time${ROUNDS === 1 ? '' : 's'}, loses, duplicates, and misses no row`,
  { timeout: 2_700_000 * ROUNDS },
  async () => {
    const stepwise = VEHICLES_FILE.replace('vehicles-sti }', 'vehicles-sti, ramp: [50, 100], hold: 1s }')
    const file = `${stepwise}${TRIGGERS_FILE_PART}errorBudget: 0.01\n`
    for (let round = 0; round < ROUNDS; round++) {
      const left = new Set<FailpointName>(FAILPOINT_NAMES)
      await withRelayedRollout(`${file}constraint: notNull\n`, true, left, round, runWholeRollout)
      await withRelayedRollout(file.replace(/errorBudget.*\n/, ''), true, left, round, runFailingBackfill)
      await withRelayedRollout(file, false, left, round, runWithContrarySession)
      await withRelayedRollout(file, true, left, round, rollBackEverything)
      await withRelayedRollout(
        `${file}soak: ${SOAK_SECONDS}s\n`,
        true,
        left,
        round,
        prepareAndRemoveArchive,
        withDedicatedServer,
      )
      // Later rounds wait for a point to be reached a second time, which does not happen for every point.
      if (round === 0) expect([...left]).toEqual([])
    }
  },
)

afterAll(() => console.log(`killed at points: ${kills.length} kills, ${summarizeMismatches(found)}`))
