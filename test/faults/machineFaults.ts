import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseCpuTicks } from '../../agent/src/signals/procfs.ts'
import { UnsupportedMachineError, type SeededFault } from './fault.ts'

/** Longer than half a minute, which is what counts of processor time. */
const CPU_LOAD_MS = 40_000
const BUSY_CPU_RATIO = 0.5

/** The machine is short of something. */
export const machineFaults: readonly SeededFault[] = [
  {
    name: 'noisy-neighbour',
    ground: 'machine',
    layer: 'system',
    checks: ['cpu'],
    what: 'somebody else uses every processor of the machine',
    async seed() {
      if ((await readCpuUsage()) > BUSY_CPU_RATIO)
        throw new UnsupportedMachineError('others use the processors of this machine already')
      const neighbours = Array.from({ length: availableParallelism() }, () =>
        spawn(process.execPath, ['-e', `const end = Date.now() + ${2 * CPU_LOAD_MS}; while (Date.now() < end);`]),
      )
      await sleep(CPU_LOAD_MS)
      return async () => neighbours.forEach((neighbour) => neighbour.kill())
    },
  },
  {
    name: 'disk-full',
    ground: 'disk',
    layer: 'system',
    checks: ['disk'],
    what: 'the file system of the agent’s machine is nearly full (one of 32 MB, which only it sees)',
    async seed({ fillDisk }) {
      await fillDisk!(0.9)
      // It is read every five seconds, and counted as often.
      await sleep(12_000)
    },
  },
]

/** The part of all processor time of the next three seconds that is used. */
async function readCpuUsage(): Promise<number> {
  const before = parseCpuTicks(await readFile('/proc/stat', 'utf8'))
  await sleep(3_000)
  const after = parseCpuTicks(await readFile('/proc/stat', 'utf8'))
  return (after.busy - before.busy) / (after.total - before.total)
}
