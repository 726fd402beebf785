import { SIGNALS } from '../contract/signals.ts'
import type { HostReadings } from '../signals/localHost.ts'
import { isKnown } from '../signals/reading.ts'
import { readingToSamples, type MetricFamily, type ScrapeContext } from './metricFamily.ts'

function hostRatio(name: MetricFamily['name'], help: string, reading: 'cpu' | 'memory' | 'disk'): MetricFamily {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['host'],
    *samples(moment) {
      for (const readings of distinctHosts(moment)) yield* readingToSamples({ host: readings.host }, readings[reading])
    },
  }
}

function hostCounter(
  name: MetricFamily['name'],
  help: string,
  counter: 'diskOperations' | 'networkBytes',
): MetricFamily {
  return {
    name,
    type: 'counter',
    help,
    labels: ['host', 'direction'],
    *samples(moment) {
      for (const { host, [counter]: reading } of distinctHosts(moment)) {
        if (!isKnown(reading)) continue
        for (const [direction, value] of Object.entries(reading.value)) yield { labels: { host, direction }, value }
      }
    },
  }
}

/** Each host once: the rollouts of one agent usually share it. */
function distinctHosts({ allRollouts: all, signals }: ScrapeContext): Iterable<HostReadings> {
  const candidates = all.length === 0 ? [signals.host()] : all.map(({ rollout }) => signals.host(rollout))
  return new Map(candidates.map((readings) => [readings.host, readings])).values()
}

export const hostMetrics = [
  hostRatio('sti_host_cpu_ratio', SIGNALS['host-cpu'].help, 'cpu'),
  hostRatio('sti_host_memory_ratio', SIGNALS['host-memory'].help, 'memory'),
  hostRatio('sti_host_disk_used_ratio', SIGNALS['host-disk'].help, 'disk'),
  hostCounter('sti_host_disk_operations_total', SIGNALS['host-disk-operations'].help, 'diskOperations'),
  hostCounter('sti_host_network_bytes_total', SIGNALS['host-network'].help, 'networkBytes'),
]
