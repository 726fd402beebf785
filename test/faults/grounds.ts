import { seedUnderTraffic } from './cells.ts'
import type { Fault, GroundName } from './fault.ts'
import { PARTITIONS_FILE, vehiclesFile } from './files.ts'
import { prepareGround, type GroundOptions } from './ground.ts'
import { broken, control, seedOne, type Outcome } from './seedOne.ts'
import { SERVER_FLAGS } from './server.ts'
import { largeTable, partitionedTable, vehiclesTable } from './tables.ts'

export type Report = (outcome: Outcome) => void
type Seeding = (faults: readonly Fault[], report: Report) => Promise<void>

const vehicles = { table: vehiclesTable, file: vehiclesFile }

/** How the faults of each ground are seeded; each outcome is told as it comes. */
export const GROUNDS: Readonly<Record<GroundName, Seeding>> = {
  vehicles: inTurn(vehicles),
  partitions: inTurn({ table: partitionedTable, file: () => PARTITIONS_FILE }),
  server: inTurn({ table: largeTable, file: vehiclesFile, flags: SERVER_FLAGS }),
  machine: inTurn(vehicles),
  disk: inTurn({ ...vehicles, smallRoot: true }),
  traffic: seedUnderTraffic,
}

/** One after the other. A healthy place is looked at before the first fault, before each of them and after the last one. */
function inTurn(options: GroundOptions): Seeding {
  return async (faults, report) => {
    const ground = await prepareGround(options)
    try {
      for (const fault of faults)
        report(await ground.withPlace((place) => seedOne(fault, place)).catch((error: unknown) => broken(fault, error)))
      // Where no place could be had for a fault, there is none for nothing either.
      report(await ground.withPlace(control).catch((error: unknown) => broken(null, error)))
    } finally {
      await ground.stop()
    }
  }
}
