import { expect } from 'vitest'
import { pollApiReadings } from './apiReadings.ts'
import { pollPromqlHost } from './promqlHost.ts'
import { createPrometheusClient } from './prometheusClient.ts'
import { isKnown } from './reading.ts'
import { hasPrometheus, startPrometheus } from './testing/prometheusServer.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test.runIf(hasPrometheus)('application and host can be read from Prometheus', async () => {
  const server = await startPrometheus({ 'prometheus.yml': 'scrape_configs: []' }, 'prometheus.yml')
  const direction = (name: string, value: number) => `label_replace(vector(${value}), "direction", "${name}", "", "")`
  const every = { prometheus: createPrometheusClient(`${server.url}/`), intervalMs: 200, now: Date.now }
  const queries = {
    latencyAverage: 'vector(0.1)',
    latencyP95: '0.5',
    errorRatio: 'vector(1) / 0',
    requestRate: 'absent',
  }
  const api = pollApiReadings({ ...every, source: { promql: queries } })
  const host = pollPromqlHost({
    ...every,
    name: 'vehicles',
    queries: {
      cpu: 'vector(0.25)',
      memory: 'vector(0.5)',
      disk: 'nothing',
      diskOperations: `${direction('read', 5)} or ${direction('write', 6)}`,
      network: direction('receive', 7),
    },
  })
  api.start()
  host.start()
  const latency = await waitForValue(api.read, ({ latencyAverage }) => isKnown(latencyAverage))
  expect(latency.latencyAverage).toMatchObject({ value: 0.1 })
  expect(latency.latencyP95).toMatchObject({ value: 0.5 })
  expect(latency.errorRatio).toEqual({ unknown: 'vector(1) / 0 returns Infinity' })
  const read = await waitForValue(host.read, ({ cpu }) => isKnown(cpu))
  expect(read).toMatchObject({
    host: 'vehicles',
    cpu: { value: 0.25 },
    memory: { value: 0.5 },
    disk: { unknown: 'nothing returns no series' },
    diskOperations: { value: { read: 5, write: 6 } },
    networkBytes: { unknown: expect.stringMatching(/must return one series each for direction receive and transmit$/) },
  })
  await server.stop()
  await waitForValue(
    host.read,
    ({ cpu }) => 'unknown' in cpu && cpu.unknown.endsWith('/api/v1/query: nothing listens there (ECONNREFUSED)'),
  )
  api.stop()
  host.stop()
})
