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

/** How the faults of each environment are seeded. Reports each outcome as soon as it is known. */
export const FAULT_SEEDERS: Readonly<Record<FaultEnvironmentName, FaultSeeder>> = {
  vehicles: seedInTurn(vehicles),
  partitions: seedInTurn({ table: createPartitionedTable, file: () => PARTITIONS_FILE }),
  server: seedInTurn({ table: createLargeTable, file: vehiclesFile, flags: SERVER_FLAGS }),
  machine: seedInTurn(vehicles),
  disk: seedInTurn({ ...vehicles, smallRoot: true }),
  traffic: seedUnderTraffic,
}

/** Seeds faults one after another, and validates a healthy place before each fault and after the last one. */
function seedInTurn(options: FaultTestEnvironmentOptions): FaultSeeder {
  return async (faults, report) => {
    const environment = await prepareTestEnvironment(options)
    try {
      for (const fault of faults)
        report(
          await environment
            .withPlace((place) => seedFault(fault, place))
            .catch((error: unknown) => failedOutcome(fault, error)),
        )
      // If the environment failed for a fault, it fails for the healthy run as well.
      report(await environment.withPlace(validateHealthyPlace).catch((error: unknown) => failedOutcome(null, error)))
    } finally {
      await environment.stop()
    }
  }
}
