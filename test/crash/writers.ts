import postgres from 'postgres'

export interface Vehicle {
  readonly is_truck: boolean
  readonly is_bike: boolean
  readonly axles: number | null
}

/** What the application wrote, kept beside the database: the truth that the table is compared with. */
export type Oracle = Map<string, Vehicle>

export interface Writers {
  readonly oracle: Oracle
  /** Statements that the database has confirmed. */
  writes(): number
  stop(): Promise<void>
}

/** `count` sessions that insert, update and delete at random; each owns the keys with its own remainder. */
export function startWriters(url: string, oracle: Oracle, count: number): Writers {
  const sql = postgres(url, { max: count, onnotice: () => undefined })
  let writes = 0
  let stopped = false
  const write = async (writer: number): Promise<void> => {
    const own = [...oracle.keys()].filter((id) => Number(id) % count === writer)
    while (!stopped) {
      const vehicle = {
        is_truck: Math.random() < 0.4,
        is_bike: Math.random() < 0.3,
        axles: Math.random() < 0.1 ? null : 2,
      }
      const dice = Math.random()
      const at = Math.floor(Math.random() * own.length)
      const id = own[at]
      if (dice < 0.3 || id === undefined) {
        const [row] = await sql<{ id: string }[]>`insert into public.vehicles (name, is_truck, is_bike, axles)
          values ('written', ${vehicle.is_truck}, ${vehicle.is_bike}, ${vehicle.axles}) returning id`
        oracle.set(row!.id, vehicle)
        own.push(row!.id)
      } else if (dice < 0.85) {
        await sql`update public.vehicles set is_truck = ${vehicle.is_truck}, is_bike = ${vehicle.is_bike}, axles = ${vehicle.axles} where id = ${id}`
        oracle.set(id, vehicle)
      } else {
        await sql`delete from public.vehicles where id = ${id}`
        oracle.delete(id)
        own[at] = own.at(-1)!
        own.pop()
      }
      writes++
    }
  }
  const running = Array.from({ length: count }, (_, writer) => write(writer))
  return {
    oracle,
    writes: () => writes,
    async stop() {
      stopped = true
      await Promise.all(running)
      await sql.end()
    },
  }
}

/** Every difference between the table and the oracle, by key; empty: no row lost, doubled or wrong. */
export async function differences(sql: postgres.Sql, oracle: Oracle): Promise<string[]> {
  const rows = await sql<
    { id: string; is_truck: boolean; is_bike: boolean; axles: number | null; type: string | null }[]
  >`
    select id, is_truck, is_bike, axles, type from public.vehicles`
  const found: string[] = []
  const seen = new Set<string>()
  for (const row of rows) {
    const expected = oracle.get(row.id)
    if (seen.has(row.id)) found.push(`${row.id} is there twice`)
    seen.add(row.id)
    if (expected === undefined) found.push(`${row.id} was deleted and is there`)
    else if (expected.is_truck !== row.is_truck || expected.is_bike !== row.is_bike || expected.axles !== row.axles)
      found.push(`${row.id} holds other values`)
    const type = row.is_truck ? 'Truck' : row.is_bike ? 'Bike' : 'Car'
    if (row.type !== type) found.push(`${row.id} has type ${row.type}, not ${type}`)
  }
  for (const id of oracle.keys()) if (!seen.has(id)) found.push(`${id} is lost`)
  return found
}
