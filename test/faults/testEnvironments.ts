import { seedUnderTraffic } from './parallelFaults.ts'
import type { SeededFault, FaultEnvironmentName } from './fault.ts'
import { PARTITIONS_FILE, vehiclesFile } from './rolloutFiles.ts'
import { prepareTestEnvironment, type FaultTestEnvironmentOptions } from './testEnvironment.ts'
import { failedOutcome, validateHealthyPlace, seedFault, type SeedOutcome } from './seedFault.ts'
import { SERVER_FLAGS } from './serverFaults.ts'
import { createLargeTable, createPartitionedTable, createFaultVehiclesTable } from './faultTables.ts'

export type OutcomeReporter = (outcome: SeedOutcome) => void
type FaultSeeder = (faults: readonly SeededFault[], report: OutcomeReporter) => Promise<void>

const vehicles = { table: createFaultVehiclesTable, file: vehiclesFile }

/** How the faults of each ground are seeded; each outcome is told as it comes. */
export const FAULT_SEEDERS: Readonly<Record<FaultEnvironmentName, FaultSeeder>> = {
  vehicles: seedInTurn(vehicles),
  partitions: seedInTurn({ table: createPartitionedTable, file: () => PARTITIONS_FILE }),
  server: seedInTurn({ table: createLargeTable, file: vehiclesFile, flags: SERVER_FLAGS }),
  machine: seedInTurn(vehicles),
  disk: seedInTurn({ ...vehicles, smallRoot: true }),
  traffic: seedUnderTraffic,
}

/** One after the other. A healthy place is looked at before the first fault, before each of them and after the last one. */
function seedInTurn(options: FaultTestEnvironmentOptions): FaultSeeder {
  return async (faults, report) => {
    const ground = await prepareTestEnvironment(options)
    try {
      for (const fault of faults)
        report(
          await ground
            .withPlace((place) => seedFault(fault, place))
            .catch((error: unknown) => failedOutcome(fault, error)),
        )
      // Where no place could be had for a fault, there is none for nothing either.
      report(await ground.withPlace(validateHealthyPlace).catch((error: unknown) => failedOutcome(null, error)))
    } finally {
      await ground.stop()
    }
  }
}
