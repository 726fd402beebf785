import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseCpuTicks } from '../../agent/src/signals/procfs.ts'
import { UnsupportedMachineError, type SeededFault } from './fault.ts'

/** CPU usage is an average over 30 s, so the load must last longer. */
const CPU_LOAD_MS = 40_000
const BUSY_CPU_RATIO = 0.5

/** The machine runs out of a resource. */
export const machineFaults: readonly SeededFault[] = [
  {
    name: 'noisy-neighbour',
    environment: 'machine',
    layer: 'system',
    checks: ['cpu'],
    what: 'other processes use all CPUs of the machine',
    async seed() {
      if ((await readCpuUsage()) > BUSY_CPU_RATIO)
        throw new UnsupportedMachineError('the CPUs of this machine are already busy')
      const neighbours = Array.from({ length: availableParallelism() }, () =>
        spawn(process.execPath, ['-e', `const end = Date.now() + ${2 * CPU_LOAD_MS}; while (Date.now() < end);`]),
      )
      await sleep(CPU_LOAD_MS)
      return async () => neighbours.forEach((neighbour) => neighbour.kill())
    },
  },
  {
    name: 'disk-full',
    environment: 'disk',
    layer: 'system',
    checks: ['disk'],
    what: 'the file system of the agent is nearly full (32 MB, mounted for the agent only)',
    async seed({ fillDisk }) {
      await fillDisk!(0.9)
      // The agent reads the disk usage every five seconds and saves the peak as often.
      await sleep(12_000)
    },
  },
]

/** The CPU usage over the next three seconds, 0 to 1. */
async function readCpuUsage(): Promise<number> {
  const before = parseCpuTicks(await readFile('/proc/stat', 'utf8'))
  await sleep(3_000)
  const after = parseCpuTicks(await readFile('/proc/stat', 'utf8'))
  return (after.busy - before.busy) / (after.total - before.total)
}
