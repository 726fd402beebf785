import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { startApplicationSessions, type ApplicationSessions } from '../support/applicationSessions.ts'

export interface WrittenVehicle {
  readonly is_truck: boolean
  readonly is_bike: boolean
  readonly axles: number | null
}

/** The oracle: what the application wrote, recorded outside of the database, with which the table is compared. */
export type VehicleOracle = Map<string, WrittenVehicle>

/** The current rows. */
export async function readOracle(sql: postgres.Sql): Promise<VehicleOracle> {
  const rows = await sql<{ id: string; is_truck: boolean; is_bike: boolean; axles: number | null }[]>`
    select id, is_truck, is_bike, axles from public.vehicles`
  return new Map(rows.map(({ id, ...vehicle }) => [id, vehicle]))
}

export interface RandomWriters extends Pick<ApplicationSessions, 'pause' | 'resume' | 'stop'> {
  readonly oracle: VehicleOracle
  /** The number of statements that the database has confirmed. */
  writes(): number
  /** Keys written since the last call. */
  touched(): Set<string>
}

/** How long a writer rests after each statement, since the machine has other work too. */
const PAUSE_AFTER_WRITE_MS = 20

/**
 * Starts `count` sessions that insert, update, and delete at random; each owns the keys with its own remainder. If
 * the result of a statement is lost because the server crashed, the writer checks its effect once the server is
 * available again.
 */
export function startRandomWriters(url: string, oracle: VehicleOracle, count: number): RandomWriters {
  const sql = postgres(url, { max: count, onnotice: () => undefined, backoff: () => 0.1 })
  let writes = 0
  let touched = new Set<string>()
  const sessions = startApplicationSessions(sql, count, (writer) => {
    const own = [...oracle.keys()].filter((id) => Number(id) % count === writer)
    return async () => {
      const vehicle = {
        is_truck: Math.random() < 0.4,
        is_bike: Math.random() < 0.3,
        axles: Math.random() < 0.1 ? null : 2,
      }
      const dice = Math.random()
      const at = Math.floor(Math.random() * own.length)
      const id = own[at]
      if (dice < 0.3 || id === undefined) {
        const name = `written ${writer} ${crypto.randomUUID()}`
        const row = await resolveLostAnswer(
          sql<{ id: string }[]>`insert into public.vehicles (name, is_truck, is_bike, axles)
            values (${name}, ${vehicle.is_truck}, ${vehicle.is_bike}, ${vehicle.axles}) returning id`,
          () => sql<{ id: string }[]>`select id from public.vehicles where name = ${name}`,
        )
        if (row === null) return
        oracle.set(row.id, vehicle)
        touched.add(row.id)
        own.push(row.id)
      } else if (dice < 0.85) {
        const row = await resolveLostAnswer(
          sql<
            WrittenVehicle[]
          >`update public.vehicles set is_truck = ${vehicle.is_truck}, is_bike = ${vehicle.is_bike}, axles = ${vehicle.axles}
            where id = ${id} returning is_truck, is_bike, axles`,
          () => sql<WrittenVehicle[]>`select is_truck, is_bike, axles from public.vehicles where id = ${id}`,
        )
        if (row === null) throw new Error(`row ${id} is missing and was not deleted`)
        oracle.set(id, { is_truck: row.is_truck, is_bike: row.is_bike, axles: row.axles })
        touched.add(id)
      } else {
        const left = await resolveLostAnswer(
          sql<
            { there: boolean }[]
          >`with gone as (delete from public.vehicles where id = ${id} returning 1) select false as there from gone`,
          () => sql<{ there: boolean }[]>`select true as there from public.vehicles where id = ${id}`,
        )
        if (left?.there) return
        oracle.delete(id)
        own[at] = own.at(-1)!
        own.pop()
      }
      writes++
      await sleep(PAUSE_AFTER_WRITE_MS)
    }
  })
  return {
    oracle,
    writes: () => writes,
    touched() {
      const keys = touched
      touched = new Set()
      return keys
    },
    pause: sessions.pause,
    resume: sessions.resume,
    stop: sessions.stop,
  }
}

/** The row that a statement answers, or, if the answer was lost, the row that `readBack` reads. */
async function resolveLostAnswer<T>(statement: PromiseLike<T[]>, readBack: () => PromiseLike<T[]>): Promise<T | null> {
  try {
    return (await statement)[0] ?? null
  } catch (error) {
    if (!isAnswerLost(error)) throw error
  }
  for (;;) {
    try {
      // Results after a lost connection may start with empty entries.
      return [...(await readBack())].find((row) => row !== undefined) ?? null
    } catch (error) {
      if (!isAnswerLost(error)) throw error
      await sleep(50)
    }
  }
}

/** True if the server is unavailable or could not write: the statement may have taken effect or not. */
function isAnswerLost(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code)
  return /^(CONNECT|ECONN|EPIPE|08|57P0|53|58|XX)/.test(code)
}

/** The expected content of the discriminator: the derived type, nothing except in rows written since, or no column. */
export type ExpectedTypeColumn = 'derived' | 'cleared' | 'no column'

/**
 * Every difference between the table and the oracle, by key; empty if no row is lost, duplicated, or wrong. The types
 * of rows in `except` are not checked.
 */
export async function compareWithOracle(
  sql: postgres.Sql,
  oracle: VehicleOracle,
  expected: ExpectedTypeColumn = 'derived',
  except: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const rows = await sql<
    { id: string; is_truck: boolean; is_bike: boolean; axles: number | null; type: string | null }[]
  >`
    select id, is_truck, is_bike, axles, ${expected === 'no column' ? sql`null::text` : sql`type`} as type from public.vehicles`
  const mismatches: string[] = []
  const seenKeys = new Set<string>()
  for (const row of rows) {
    const known = oracle.get(row.id)
    if (seenKeys.has(row.id)) mismatches.push(`${row.id} is duplicated: it exists twice`)
    seenKeys.add(row.id)
    if (known === undefined) mismatches.push(`${row.id} is duplicated: it was deleted and exists`)
    else if (known.is_truck !== row.is_truck || known.is_bike !== row.is_bike || known.axles !== row.axles)
      mismatches.push(`${row.id} is wrong: it has other values`)
    const type = expected !== 'derived' ? null : row.is_truck ? 'Truck' : row.is_bike ? 'Bike' : 'Car'
    if (row.type !== type && !except.has(row.id)) mismatches.push(`${row.id} is wrong: type ${row.type}, not ${type}`)
  }
  for (const id of oracle.keys()) if (!seenKeys.has(id)) mismatches.push(`${id} is lost`)
  return mismatches
}

/** Summarizes how many rows were lost, duplicated, or wrong, for the output of the run. */
export function summarizeMismatches(found: readonly string[]): string {
  const count = (word: string): number => found.filter((mismatch) => mismatch.includes(` is ${word}`)).length
  return `lost ${count('lost')}, duplicated ${count('duplicated')}, wrong ${count('wrong')}`
}
