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

/** Every kind of fault, layer by layer. */
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
