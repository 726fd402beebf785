/** An application on TypeORM with pg. */
import { DataSource, EntitySchema } from 'typeorm'
import { legacyKind, legacyValues, serve } from './workload.js'

class LegacyVehicle {}
class Vehicle {}
class Truck extends Vehicle {}
class Bike extends Vehicle {}
class Car extends Vehicle {}

const columns = { id: { type: 'bigint', primary: true, generated: 'identity' }, name: { type: 'text' } }

/** What the table was before: the kind is in the legacy columns. It does not know the type. */
const legacySchema = new EntitySchema({
  name: 'LegacyVehicle',
  target: LegacyVehicle,
  tableName: 'vehicles',
  columns: { ...columns, is_truck: { type: 'boolean', default: false }, category: { type: 'text', nullable: true } },
})

/** The classes of single-table inheritance. They do not know the legacy columns. */
function typedSchemas(types) {
  const child = (target, discriminatorValue) =>
    new EntitySchema({ name: target.name, target, type: 'entity-child', discriminatorValue, columns: {} })
  return [
    new EntitySchema({
      name: 'Vehicle',
      target: Vehicle,
      tableName: 'vehicles',
      columns: { ...columns, type: { type: 'varchar' } },
      inheritance: { pattern: 'STI', column: { name: 'type', type: 'varchar' } },
    }),
    child(Truck, types.truck),
    child(Bike, types.bike),
    child(Car, types.car),
  ]
}

async function openStore({ databaseUrl, workers, types }) {
  const dataSource = await new DataSource({
    type: 'postgres',
    url: databaseUrl,
    poolSize: workers,
    entities: [legacySchema, ...typedSchemas(types)],
  }).initialize()
  const classes = { truck: Truck, bike: Bike, car: Car }
  const { manager } = dataSource
  const classOf = (model) => (model === 'typed' ? Vehicle : LegacyVehicle)
  const kindOf = (model, row) =>
    model === 'typed' ? Object.keys(classes).find((kind) => row instanceof classes[kind]) : legacyKind(row)
  return {
    async create(model, kind, name) {
      const row =
        model === 'typed'
          ? manager.create(classes[kind], { name })
          : manager.create(LegacyVehicle, { name, ...legacyValues(kind) })
      return String((await manager.save(row)).id)
    },
    async change(model, id, kind) {
      // The class of an object cannot change: the statement writes the discriminator.
      if (model === 'typed') return void (await manager.update(Vehicle, { id }, { type: types[kind] }))
      const row = await manager.findOneByOrFail(LegacyVehicle, { id })
      await manager.save(Object.assign(row, legacyValues(kind)))
    },
    async rename(model, id, name) {
      const row = await manager.findOneByOrFail(classOf(model), { id })
      row.name = name
      await manager.save(row)
    },
    async find(model, id) {
      const row = await manager.findOneBy(classOf(model), { id })
      return row && [kindOf(model, row), row.name]
    },
    async remove(model, id) {
      await manager.remove(await manager.findOneByOrFail(classOf(model), { id }))
    },
    async list(model) {
      return (await manager.find(classOf(model))).map((row) => [String(row.id), kindOf(model, row), row.name])
    },
  }
}

await serve(openStore, ['typeorm', 'pg'])
