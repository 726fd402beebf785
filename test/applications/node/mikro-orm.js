/** An application on MikroORM with its PostgreSQL driver. */
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql'
import { legacyKind, legacyValues, serve } from './workload.js'

class LegacyVehicle {}
class Vehicle {}
class Truck extends Vehicle {}
class Bike extends Vehicle {}
class Car extends Vehicle {}

const properties = { id: { type: 'bigint', primary: true, autoincrement: true }, name: { type: 'text' } }

/** What the table was before: the kind is in the legacy columns. It does not know the type. */
const legacySchema = new EntitySchema({
  class: LegacyVehicle,
  tableName: 'vehicles',
  properties: { ...properties, is_truck: { type: 'boolean' }, category: { type: 'text', nullable: true } },
})

/** The classes of single-table inheritance. They do not know the legacy columns. */
function typedSchemas(types) {
  const child = (entity, discriminatorValue) =>
    new EntitySchema({ class: entity, extends: 'Vehicle', discriminatorValue, properties: {} })
  return [
    new EntitySchema({
      class: Vehicle,
      tableName: 'vehicles',
      abstract: true,
      discriminatorColumn: 'type',
      properties: { ...properties, type: { type: 'text' } },
    }),
    child(Truck, types.truck),
    child(Bike, types.bike),
    child(Car, types.car),
  ]
}

async function openStore({ databaseUrl, workers, types }) {
  const orm = await MikroORM.init({
    clientUrl: databaseUrl,
    entities: [legacySchema, ...typedSchemas(types)],
    pool: { min: 0, max: workers },
    // Two mapped classes of one table.
    discovery: { checkDuplicateTableNames: false },
  })
  const classes = { truck: Truck, bike: Bike, car: Car }
  const classOf = (model) => (model === 'typed' ? Vehicle : LegacyVehicle)
  const kindOf = (model, row) =>
    model === 'typed' ? Object.keys(classes).find((kind) => row instanceof classes[kind]) : legacyKind(row)
  return {
    async create(model, kind, name) {
      const em = orm.em.fork()
      const row =
        model === 'typed'
          ? em.create(classes[kind], { name })
          : em.create(LegacyVehicle, { name, ...legacyValues(kind) })
      await em.persistAndFlush(row)
      return String(row.id)
    },
    async change(model, id, kind) {
      const em = orm.em.fork()
      // The class of an object cannot change: the statement writes the discriminator.
      if (model === 'typed') return void (await em.nativeUpdate(Vehicle, { id }, { type: types[kind] }))
      em.assign(await em.findOneOrFail(LegacyVehicle, { id }), legacyValues(kind))
      await em.flush()
    },
    async rename(model, id, name) {
      const em = orm.em.fork()
      const row = await em.findOneOrFail(classOf(model), { id })
      row.name = name
      await em.flush()
    },
    async find(model, id) {
      const row = await orm.em.fork().findOne(classOf(model), { id })
      return row && [kindOf(model, row), row.name]
    },
    async remove(model, id) {
      const em = orm.em.fork()
      await em.removeAndFlush(await em.findOneOrFail(classOf(model), { id }))
    },
    async list(model) {
      const rows = await orm.em.fork().find(classOf(model), {})
      return rows.map((row) => [String(row.id), kindOf(model, row), row.name])
    },
  }
}

await serve(openStore, ['@mikro-orm/postgresql', 'pg'])
