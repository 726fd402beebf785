import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { VEHICLES, vehicles } from '../support/vehicles.ts'
import { withSession } from '../safety/disturbing.ts'
import { finalized, withConflicts } from './finalized.ts'

/** One row as [is_truck, is_bike, type]; what the seed has at these ids. */
const SEED = { truck: 1, car: 3, bike: 5 }

type Row = [boolean, boolean, string | null]

async function rowOf(sql: postgres.Sql, id: number): Promise<Row> {
  const [row] = await sql`select is_truck, is_bike, type from public.vehicles where id = ${id}`
  return [row!['is_truck'] as boolean, row!['is_bike'] as boolean, row!['type'] as string | null]
}

const TRUCK: Row = [true, false, 'Truck']
const BIKE: Row = [false, true, 'Bike']
const CAR: Row = [false, false, 'Car']

/** Statements on the row of that id, and what it then is. */
const UPDATES: [string, keyof typeof SEED, string, Row][] = [
  ['new code: the type alone', 'car', `type = 'Truck'`, TRUCK],
  ['new code: from one type to another', 'truck', `type = 'Bike'`, BIKE],
  ['new code: to the type of otherwise', 'truck', `type = 'Car'`, CAR],
  ['new code: the whole row as it read it, and another type', 'truck', `is_truck = true, is_bike = false, type = 'Bike'`, BIKE],
  ['old code: legacy columns alone', 'car', `is_truck = true`, TRUCK],
  ['old code: legacy columns that say the same', 'truck', `is_bike = true`, [true, true, 'Truck']],
  ['old code: back to otherwise', 'bike', `is_bike = false`, CAR],
  ['both, and they agree', 'car', `is_bike = true, type = 'Bike'`, BIKE],
  ['both, of two legacy columns the one that has to change', 'truck', `is_bike = true, type = 'Bike'`, BIKE],
  ['both, legacy columns that are more than restore says', 'car', `is_truck = true, is_bike = true, type = 'Truck'`, [true, true, 'Truck']],
  ['no type at all: it says nothing', 'truck', `type = null`, TRUCK],
  ['no type, and another legacy value', 'truck', `type = null, is_truck = false`, CAR],
  ['neither', 'bike', `name = 'x'`, BIKE],
]

describe('updates once the rollout is finalized', () => {
  test('each case', async () => {
    await finalized(async ({ sql }) => {
      for (const [name, seed, assignments, wanted] of UPDATES) {
        await sql.begin(async (own) => {
          await own.unsafe(`update public.vehicles set ${assignments} where id = ${SEED[seed]}`)
          expect(await rowOf(own as unknown as postgres.Sql, SEED[seed]), name).toEqual(wanted)
          throw new Error('undone')
        }).catch((error: Error) => { if (error.message !== 'undone') throw error })
      }
    })
  })
})
