import { businessFaults } from './business.ts'
import { constraintFaults } from './constraints.ts'
import type { Fault } from './fault.ts'
import { machineFaults } from './machine.ts'
import { partitionFaults } from './partitions.ts'
import { rowFaults } from './rows.ts'
import { serverFaults } from './server.ts'
import { tracelessFaults } from './traceless.ts'
import { trafficFaults } from './traffic.ts'
import { triggerFaults } from './trigger.ts'

/** Every kind of fault, layer by layer. */
export const FAULTS: readonly Fault[] = [
  ...rowFaults,
  ...triggerFaults,
  ...constraintFaults,
  ...tracelessFaults,
  ...partitionFaults,
  ...trafficFaults,
  ...serverFaults,
  ...machineFaults,
  ...businessFaults,
]
