import type postgres from 'postgres'
import { isVehicleKind, legacyKind, type VehicleKind, type Vehicle, type VehicleInput } from './vehicle.ts'

interface VehicleRow {
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

/** The columns that hold the kind of a vehicle: old code uses the legacy columns, new code uses `type`. */
export type TypeSource = 'legacy' | 'type'

export function vehicleStore(sql: postgres.Sql) {
  const fields = sql`id, vin, name, is_truck, is_bike, axles, owner_email, price`
  const fieldsBy = (by: TypeSource) => (by === 'type' ? sql`${fields}, type` : fields)
  const isOfKind = (kind: VehicleKind, by: TypeSource) =>
    by === 'type' ? sql`type = ${TYPE_NAMES[kind]}` : LEGACY_CONDITIONS[kind](sql)
  return {
    async list(kind: VehicleKind, after: number, limit: number, by: TypeSource): Promise<Vehicle[]> {
      const rows = await sql<VehicleRow[]>`
        select ${fieldsBy(by)} from vehicles
        where ${isOfKind(kind, by)} and id > ${after} order by id limit ${limit}`
      return rows.map((row) => toVehicle(row, by))
    },
    async find(id: number, by: TypeSource): Promise<Vehicle | null> {
      const [row] = await sql<VehicleRow[]>`select ${fieldsBy(by)} from vehicles where id = ${id}`
      return row ? toVehicle(row, by) : null
    },
    async create(input: VehicleInput, by: TypeSource): Promise<Vehicle> {
      const { vin, name, axles, ownerEmail: owner_email, price } = input
      const values = { vin, name, axles, owner_email, price, ...kindColumns(input, by) }
      const [row] = await sql<VehicleRow[]>`insert into vehicles ${sql(values)} returning ${fieldsBy(by)}`
      if (!row) throw new Error('INSERT returned no row')
      return toVehicle(row, by)
    },
    async update(id: number, input: VehicleInput, by: TypeSource): Promise<Vehicle | null> {
      const { name, axles, price } = input
      const values = { name, axles, price, ...kindColumns(input, by) }
      const [row] = await sql<
        VehicleRow[]
      >`update vehicles set ${sql(values)} where id = ${id} returning ${fieldsBy(by)}`
      return row ? toVehicle(row, by) : null
    },
    async remove(id: number): Promise<boolean> {
      return (await sql`delete from vehicles where id = ${id}`).count === 1
    },
    async ping(): Promise<void> {
      await sql`select 1`
    },
  }
}

const TYPE_NAMES: Record<VehicleKind, string> = { truck: 'Truck', bike: 'Bike', car: 'Car' }

const kindColumns = (input: VehicleInput, by: TypeSource) =>
  by === 'type' ? { type: TYPE_NAMES[legacyKind(input)] } : { is_truck: input.isTruck, is_bike: input.isBike }

const LEGACY_CONDITIONS: Record<VehicleKind, (sql: postgres.Sql) => postgres.PendingQuery<postgres.Row[]>> = {
  truck: (sql) => sql`is_truck`,
  bike: (sql) => sql`is_bike and not is_truck`,
  car: (sql) => sql`not is_truck and not is_bike`,
}

function toVehicle(row: VehicleRow, by: TypeSource): Vehicle {
  const { is_truck: isTruck, is_bike: isBike } = row
  const kindFromType = row.type?.toLowerCase()
  if (by === 'type' && !isVehicleKind(kindFromType)) throw new Error(`vehicle ${row.id} has type ${row.type ?? 'NULL'}`)
  return {
    id: Number(row.id),
    vin: row.vin,
    name: row.name,
    kind: by === 'type' && isVehicleKind(kindFromType) ? kindFromType : legacyKind({ isTruck, isBike }),
    isTruck,
    isBike,
    axles: row.axles,
    ownerEmail: row.owner_email,
    price: Number(row.price),
  }
}
