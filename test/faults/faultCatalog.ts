import { businessFaults } from './businessFaults.ts'
import { constraintFaults } from './constraintFaults.ts'
import type { SeededFault } from './fault.ts'
import { machineFaults } from './machineFaults.ts'
import { partitionFaults } from './partitionFaults.ts'
import { rowFaults } from './rowFaults.ts'
import { serverFaults } from './serverFaults.ts'
import { silentFaults } from './silentFaults.ts'
import { trafficFaults } from './trafficFaults.ts'
import { triggerFaults } from './triggerFaults.ts'

/** Every kind of fault, by layer. */
export const FAULTS: readonly SeededFault[] = [
  ...rowFaults,
  ...triggerFaults,
  ...constraintFaults,
  ...silentFaults,
  ...partitionFaults,
  ...trafficFaults,
  ...serverFaults,
  ...machineFaults,
  ...businessFaults,
]

/** Built-in checks that no seeded fault has to find, and the reason for each. */
export const CHECKS_WITHOUT_FAULT: Readonly<Record<string, string>> = {
  memory: 'filling the memory of the machine would stop the tests; it shares its code with `cpu` and `disk`',
  'error-ratio': 'fails together with `api-error-ratio` (see `application-fails`)',
  'dual-write-application':
    'requires `dualWrite: application` in the rollout file; tested in `test/dual-write/checks.test.ts`',
}
