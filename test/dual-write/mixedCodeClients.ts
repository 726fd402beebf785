import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { startApplicationSessions, type ApplicationSessions } from '../support/applicationSessions.ts'

/** The expected state of a row after its last write, whichever column was written. */
export interface ExpectedVehicle {
  readonly type: VehicleType
  readonly name: string
}
export type VehicleType = 'Truck' | 'Bike' | 'Car'
const VEHICLE_TYPES: readonly VehicleType[] = ['Truck', 'Bike', 'Car']

const legacyColumns = (type: VehicleType): { is_truck: boolean; is_bike: boolean } => ({
  is_truck: type === 'Truck',
  is_bike: type === 'Bike',
})

export interface MixedCodeClients extends Pick<ApplicationSessions, 'pause' | 'resume' | 'stop'> {
  /** The expected rows by key. */
  readonly known: ReadonlyMap<string, ExpectedVehicle>
  writes(): { old: number; new: number }
  /** Allows new code to write: the flag is on. */
  newCode(on: boolean): void
}

/**
 * Sessions of old code, which uses only legacy columns, and of new code, which uses only the type. Rows belong to one
 * session of each kind in turn, so that the last write of each row is known; both kinds write every row.
 */
export function startMixedCodeClients(
  url: string,
  known: Map<string, ExpectedVehicle>,
  count: number,
): MixedCodeClients {
  const sql = postgres(url, { max: count, onnotice: () => undefined })
  const written = { old: 0, new: 0 }
  let flagOn = false
  const sessions = startApplicationSessions(sql, count, (client) => {
    const own = [...known.keys()].filter((id) => Number(id) % count === client)
    return async () => {
      // Half of the instances of the application have received the flag.
      const sort = flagOn && Math.random() < 0.5 ? 'new' : 'old'
      const type = VEHICLE_TYPES[Math.floor(Math.random() * 3)]!
      const name = `by ${sort} code ${crypto.randomUUID()}`
      const dice = Math.random()
      const at = Math.floor(Math.random() * own.length)
      const id = own[at]
      if (dice < 0.15 || id === undefined) {
        const values = sort === 'new' ? { name, type } : { name, ...legacyColumns(type) }
        const [row] = await sql<{ id: string }[]>`insert into public.vehicles ${sql(values)} returning id`
        own.push(row!.id)
        known.set(row!.id, { type, name })
      } else if (dice < 0.9) {
        const values = sort === 'new' ? { name, type } : { name, ...legacyColumns(type) }
        await sql`update public.vehicles set ${sql(values)} where id = ${id}`
        known.set(id, { type, name })
      } else if (dice < 0.95) {
        // Writes neither the type nor legacy columns.
        await sql`update public.vehicles set name = ${name} where id = ${id}`
        known.set(id, { ...known.get(id)!, name })
      } else {
        await sql`delete from public.vehicles where id = ${id}`
        known.delete(id)
        own[at] = own.at(-1)!
        own.pop()
      }
      written[sort]++
      await sleep(1)
    }
  })
  return {
    known,
    writes: () => ({ ...written }),
    newCode(on) {
      flagOn = on
    },
    pause: sessions.pause,
    resume: sessions.resume,
    stop: sessions.stop,
  }
}

/** Every row that differs from its expected state, read by legacy columns, and by the type if the column exists. */
export async function findLostEdits(
  sql: postgres.Sql,
  known: ReadonlyMap<string, ExpectedVehicle>,
  typed: boolean,
): Promise<string[]> {
  const rows = await sql<{ id: string; name: string; legacy: VehicleType; type: VehicleType | null }[]>`
    select id, name, case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end as legacy,
      ${typed ? sql`type` : sql`null::text`} as type from public.vehicles`
  const mismatches: string[] = []
  const presentKeys = new Set(rows.map((row) => row.id))
  for (const id of known.keys()) if (!presentKeys.has(id)) mismatches.push(`${id} is lost`)
  for (const { id, name, legacy, type } of rows) {
    const expected = known.get(id)
    if (expected === undefined) mismatches.push(`${id} was deleted and exists`)
    else if (expected.name !== name) mismatches.push(`${id}: an edit is lost`)
    else if (expected.type !== legacy)
      mismatches.push(`${id}: legacy columns imply ${legacy}, but it was written as ${expected.type}`)
    else if (typed && expected.type !== type)
      mismatches.push(`${id}: the type is ${type}, but it was written as ${expected.type}`)
  }
  return mismatches
}
