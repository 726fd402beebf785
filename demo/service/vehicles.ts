import type postgres from 'postgres'
import { isKind, legacyKind, type Kind, type Vehicle, type VehicleInput } from './vehicle.ts'

interface Row {
  id: string
  vin: string
  name: string
  is_truck: boolean
  is_bike: boolean
  axles: number
  owner_email: string
  price: string
  type?: string
}

/** Which columns answer the question of a vehicle's kind: the old ones, or `type`. */
export type ReadBy = 'legacy' | 'type'

export function vehicleStore(sql: postgres.Sql) {
  const fields = sql`id, vin, name, is_truck, is_bike, axles, owner_email, price`
  const fieldsBy = (readBy: ReadBy) => (readBy === 'type' ? sql`${fields}, type` : fields)
  const isOfKind = (kind: Kind, readBy: ReadBy) =>
    readBy === 'type' ? sql`type = ${typeName[kind]}` : legacyConditions[kind](sql)
  return {
    async list(kind: Kind, after: number, limit: number, readBy: ReadBy): Promise<Vehicle[]> {
      const rows = await sql<Row[]>`
        select ${fieldsBy(readBy)} from vehicles
        where ${isOfKind(kind, readBy)} and id > ${after} order by id limit ${limit}`
      return rows.map((row) => toVehicle(row, readBy))
    },
    async find(id: number, readBy: ReadBy): Promise<Vehicle | null> {
      const [row] = await sql<Row[]>`select ${fieldsBy(readBy)} from vehicles where id = ${id}`
      return row ? toVehicle(row, readBy) : null
    },
    async create(input: VehicleInput): Promise<Vehicle> {
      const [row] = await sql<Row[]>`
        insert into vehicles (vin, name, is_truck, is_bike, axles, owner_email, price)
        values (${input.vin}, ${input.name}, ${input.isTruck}, ${input.isBike}, ${input.axles}, ${input.ownerEmail},
          ${input.price})
        returning ${fields}`
      if (!row) throw new Error('INSERT returned no row')
      return toVehicle(row, 'legacy')
    },
    async update(id: number, input: Omit<VehicleInput, 'vin' | 'ownerEmail'>): Promise<Vehicle | null> {
      const [row] = await sql<Row[]>`
        update vehicles set name = ${input.name}, is_truck = ${input.isTruck}, is_bike = ${input.isBike},
          axles = ${input.axles}, price = ${input.price}
        where id = ${id} returning ${fields}`
      return row ? toVehicle(row, 'legacy') : null
    },
    async remove(id: number): Promise<boolean> {
      return (await sql`delete from vehicles where id = ${id}`).count === 1
    },
    async ping(): Promise<void> {
      await sql`select 1`
    },
  }
}

const typeName: Record<Kind, string> = { truck: 'Truck', bike: 'Bike', car: 'Car' }

const legacyConditions: Record<Kind, (sql: postgres.Sql) => postgres.PendingQuery<postgres.Row[]>> = {
  truck: (sql) => sql`is_truck`,
  bike: (sql) => sql`is_bike and not is_truck`,
  car: (sql) => sql`not is_truck and not is_bike`,
}

function toVehicle(row: Row, readBy: ReadBy): Vehicle {
  const { is_truck: isTruck, is_bike: isBike } = row
  const named = row.type?.toLowerCase()
  if (readBy === 'type' && !isKind(named)) throw new Error(`vehicle ${row.id} has type ${row.type ?? 'NULL'}`)
  return {
    id: Number(row.id),
    vin: row.vin,
    name: row.name,
    kind: readBy === 'type' && isKind(named) ? named : legacyKind({ isTruck, isBike }),
    isTruck,
    isBike,
    axles: row.axles,
    ownerEmail: row.owner_email,
    price: Number(row.price),
  }
}
