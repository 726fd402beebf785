import { businessFaults } from './business.ts'
import { constraintFaults } from './constraints.ts'
import type { SeededFault } from './fault.ts'
import { machineFaults } from './machine.ts'
import { partitionFaults } from './partitions.ts'
import { rowFaults } from './rows.ts'
import { serverFaults } from './server.ts'
import { silentFaults } from './traceless.ts'
import { trafficFaults } from './traffic.ts'
import { triggerFaults } from './trigger.ts'

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
