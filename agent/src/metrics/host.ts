import type { HostReadings } from '../signals/host.ts'
import { isKnown } from '../signals/reading.ts'
import { known, type Family, type Moment } from './family.ts'

function hostRatio(name: Family['name'], help: string, reading: 'cpu' | 'memory' | 'disk'): Family {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['host'],
    *samples(moment) {
      for (const readings of hosts(moment)) yield* known({ host: readings.host }, readings[reading])
    },
  }
}

function hostCounter(name: Family['name'], help: string, counter: 'diskOperations' | 'networkBytes'): Family {
  return {
    name,
    type: 'counter',
    help,
    labels: ['host', 'direction'],
    *samples(moment) {
      for (const { host, [counter]: reading } of hosts(moment)) {
        if (!isKnown(reading)) continue
        for (const [direction, value] of Object.entries(reading.value)) yield { labels: { host, direction }, value }
      }
    },
  }
}

/** Each host once: rollouts of one agent usually share it. */
function hosts({ all, signals }: Moment): Iterable<HostReadings> {
  const found = all.length === 0 ? [signals.host()] : all.map(({ rollout }) => signals.host(rollout))
  return new Map(found.map((readings) => [readings.host, readings])).values()
}

export const host = [
  hostRatio('sti_host_cpu_ratio', 'Processor time used / all, in the last interval.', 'cpu'),
  hostRatio('sti_host_memory_ratio', 'Memory that is not available / all.', 'memory'),
  hostRatio('sti_host_disk_used_ratio', 'Disk space used / usable.', 'disk'),
  hostCounter('sti_host_disk_operations_total', 'Disk operations completed: read, write.', 'diskOperations'),
  hostCounter('sti_host_network_bytes_total', 'Bytes over the network: receive, transmit.', 'networkBytes'),
]
