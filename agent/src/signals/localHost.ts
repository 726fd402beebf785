import { readFile, statfs } from 'node:fs/promises'
import { cpus, hostname } from 'node:os'
import { createPoll, type Poll } from './poll.ts'
import {
  parseCpuTicks,
  parseDiskOperations,
  parseMemory,
  parseNetworkBytes,
  type CpuTicks,
  type DirectionCounters,
} from './procfs.ts'
import { ratio } from './ratio.ts'
import type { Reading } from './reading.ts'

export interface HostReadings {
  readonly host: string
  /** CPU time in use / available, in the last interval. */
  readonly cpu: Reading<number>
  readonly memory: Reading<number>
  /** Used / usable space of the file system, as df shows it. */
  readonly disk: Reading<number>
  /** Counters: read and write, receive and transmit. */
  readonly diskOperations: Reading<DirectionCounters>
  readonly networkBytes: Reading<DirectionCounters>
}

export interface LocalHostOptions {
  /** A folder on the file system that `disk` measures. */
  readonly diskFolder: string
  readonly intervalMs: number
  readonly now: () => number
}

/** This machine, from the agent's /proc. In a container, the network is the container's and the rest the machine's. */
export function pollLocalHost({ diskFolder, intervalMs, now }: LocalHostOptions): Poll<HostReadings> {
  let previous: CpuTicks | undefined
  return createPoll<HostReadings>({ intervalMs, now, unknown: unknownHostReadings(hostname()), refresh })

  async function refresh(): Promise<HostReadings> {
    const at = now()
    const [cpu, memory, disk, operations, network] = await Promise.all([
      toReading(at, cpuRatio),
      toReading(at, usedMemoryRatio),
      toReading(at, () => usedDiskRatio(diskFolder)),
      toReading(at, readDiskOperations),
      toReading(at, async () => parseNetworkBytes(await readFile('/proc/net/dev', 'utf8'))),
    ])
    return { host: hostname(), cpu, memory, disk, diskOperations: operations, networkBytes: network }
  }

  async function cpuRatio(): Promise<number> {
    const time = await readFile('/proc/stat', 'utf8').then(parseCpuTicks, readOsCpuTicks)
    const last = previous
    previous = time
    if (!last || time.total <= last.total) throw new Error('the first interval is not over yet')
    return ratio(Math.max(0, time.busy - last.busy), time.total - last.total)
  }
}

export function unknownHostReadings(host: string): (sentence: string) => HostReadings {
  return (sentence) => {
    const unknownReading = { unknown: sentence }
    return {
      host,
      cpu: unknownReading,
      memory: unknownReading,
      disk: unknownReading,
      diskOperations: unknownReading,
      networkBytes: unknownReading,
    }
  }
}

async function toReading<T>(at: number, read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await read(), at }
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}

function readOsCpuTicks(): CpuTicks {
  let busy = 0
  let total = 0
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq
    total += all
    busy += all - times.idle
  }
  return { busy, total }
}

async function usedMemoryRatio(): Promise<number> {
  const { total, available } = parseMemory(await readFile('/proc/meminfo', 'utf8'))
  return ratio(total - available, total)
}

async function usedDiskRatio(folder: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(folder)
  const used = blocks - bfree
  if (used + bavail <= 0) throw new Error(`the file system of ${folder} has no blocks`)
  return ratio(used, used + bavail)
}

async function readDiskOperations(): Promise<DirectionCounters> {
  const operations = parseDiskOperations(await readFile('/proc/diskstats', 'utf8'))
  if (!operations) throw new Error('/proc/diskstats shows no physical disk')
  return operations
}
