import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { cpuTime } from '../../agent/src/signals/proc.ts'
import { NotHere, type Fault } from './fault.ts'
import { pause } from './sql.ts'

/** Longer than half a minute, which is what counts of processor time. */
const BUSY_MS = 40_000
const BUSY = 0.5

/** The machine is short of something. */
export const machineFaults: readonly Fault[] = [
  {
    name: 'noisy-neighbour',
    ground: 'machine',
    layer: 'system',
    checks: ['cpu'],
    what: 'somebody else uses every processor of the machine',
    async seed() {
      if ((await busyNow()) > BUSY) throw new NotHere('others use the processors of this machine already')
      const neighbours = Array.from({ length: availableParallelism() }, () =>
        spawn(process.execPath, ['-e', `const end = Date.now() + ${2 * BUSY_MS}; while (Date.now() < end);`]),
      )
      await pause(BUSY_MS)
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
      await pause(12_000)
    },
  },
]

/** The part of all processor time of the next three seconds that is used. */
async function busyNow(): Promise<number> {
  const before = cpuTime(await readFile('/proc/stat', 'utf8'))
  await pause(3_000)
  const after = cpuTime(await readFile('/proc/stat', 'utf8'))
  return (after.busy - before.busy) / (after.total - before.total)
}
