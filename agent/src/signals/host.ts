import { readFile, statfs } from 'node:fs/promises'
import { cpus, hostname } from 'node:os'
import { poll, type Poll } from './poll.ts'
import { cpuTime, diskOperations, memory, networkBytes, type CpuTime, type Directions } from './proc.ts'
import { ratio } from './ratio.ts'
import type { Reading } from './reading.ts'

export interface HostReadings {
  readonly host: string
  /** Used / all, of the last interval. */
  readonly cpu: Reading<number>
  readonly memory: Reading<number>
  /** Used / usable of the file system, as df says. */
  readonly disk: Reading<number>
  /** Counters: read and write, receive and transmit. */
  readonly diskOperations: Reading<Directions>
  readonly networkBytes: Reading<Directions>
}

export interface LocalHostOptions {
  /** The file system that `disk` speaks of. */
  readonly diskFolder: string
  readonly intervalMs: number
  readonly now: () => number
}

/** This machine: what the agent's /proc shows. In a container network is that container's, the rest the machine's. */
export function localHost({ diskFolder, intervalMs, now }: LocalHostOptions): Poll<HostReadings> {
  let before: CpuTime | undefined
  return poll<HostReadings>({ intervalMs, now, unknown: unknownHost(hostname()), refresh })

  async function refresh(): Promise<HostReadings> {
    const at = now()
    const [cpu, memory, disk, operations, network] = await Promise.all([
      reading(at, cpuRatio),
      reading(at, memoryRatio),
      reading(at, () => diskRatio(diskFolder)),
      reading(at, physicalOperations),
      reading(at, async () => networkBytes(await readFile('/proc/net/dev', 'utf8'))),
    ])
    return { host: hostname(), cpu, memory, disk, diskOperations: operations, networkBytes: network }
  }

  async function cpuRatio(): Promise<number> {
    const time = await readFile('/proc/stat', 'utf8').then(cpuTime, osCpuTime)
    const last = before
    before = time
    if (!last || time.total <= last.total) throw new Error('the first interval is not over yet')
    return ratio(Math.max(0, time.busy - last.busy), time.total - last.total)
  }
}

export function unknownHost(host: string): (sentence: string) => HostReadings {
  return (sentence) => {
    const nothing = { unknown: sentence }
    return { host, cpu: nothing, memory: nothing, disk: nothing, diskOperations: nothing, networkBytes: nothing }
  }
}

async function reading<T>(at: number, read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await read(), at }
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}

function osCpuTime(): CpuTime {
  let busy = 0
  let total = 0
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq
    total += all
    busy += all - times.idle
  }
  return { busy, total }
}

async function memoryRatio(): Promise<number> {
  const { total, available } = memory(await readFile('/proc/meminfo', 'utf8'))
  return ratio(total - available, total)
}

async function diskRatio(folder: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(folder)
  const used = blocks - bfree
  if (used + bavail <= 0) throw new Error(`the file system of ${folder} has no blocks`)
  return ratio(used, used + bavail)
}

async function physicalOperations(): Promise<Directions> {
  const operations = diskOperations(await readFile('/proc/diskstats', 'utf8'))
  if (!operations) throw new Error('/proc/diskstats shows no physical disk')
  return operations
}
