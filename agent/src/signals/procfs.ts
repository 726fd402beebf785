import { existsSync } from 'node:fs'

/** Time of all processors together, in ticks since boot; their unit does not matter, only differences do. */
export interface CpuTicks {
  readonly busy: number
  readonly total: number
}

/** Total since boot by direction. */
export type DirectionCounters = Readonly<Record<string, number>>

/** First line of /proc/stat: user nice system idle iowait irq softirq steal; guest time is in user already. */
export function parseCpuTicks(stat: string): CpuTicks {
  const ticks = stat.slice(0, stat.indexOf('\n')).trim().split(/\s+/).slice(1, 9).map(Number)
  const total = ticks.reduce((sum, tick) => sum + tick, 0)
  return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total }
}

/** /proc/meminfo, in kB; available is the kernel's estimate of what can be had without swapping. */
export function parseMemory(meminfo: string): { total: number; available: number } {
  const read = (name: string): number => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)
    if (!match) throw new Error(`/proc/meminfo has no ${name}`)
    return Number(match[1])
  }
  return { total: read('MemTotal'), available: read('MemAvailable') }
}

/** Operations completed by /proc/diskstats, over the disks that have a device: no partitions, loops or RAID on top. */
export function parseDiskOperations(
  diskstats: string,
  isDisk: (name: string) => boolean = hasPhysicalDevice,
): DirectionCounters | null {
  let disks = 0
  const operations = { read: 0, write: 0 }
  for (const line of diskstats.trim().split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (!fields[2] || !isDisk(fields[2])) continue
    disks++
    operations.read += Number(fields[3])
    operations.write += Number(fields[7])
  }
  return disks > 0 ? operations : null
}

function hasPhysicalDevice(name: string): boolean {
  return existsSync(`/sys/block/${name}/device`)
}

/** Bytes by /proc/net/dev over all interfaces but lo. */
export function parseNetworkBytes(dev: string): DirectionCounters {
  const bytes = { receive: 0, transmit: 0 }
  for (const line of dev.trim().split('\n').slice(2)) {
    const [name, rest] = [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1)]
    if (name === 'lo') continue
    const fields = rest.trim().split(/\s+/)
    bytes.receive += Number(fields[0])
    bytes.transmit += Number(fields[8])
  }
  return bytes
}
