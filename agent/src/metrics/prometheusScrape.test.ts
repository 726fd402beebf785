import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { expect } from 'vitest'
import { freePort } from '../../../test/support/server.ts'
import { connect } from '../database/connect.ts'
import { createPrometheusClient } from '../signals/prometheusClient.ts'
import { createSignals } from '../signals/signals.ts'
import { hasPrometheus, startPrometheus } from '../signals/testing/prometheusServer.ts'
import { createMetrics } from './metrics.ts'
import { rolloutReadings, createMetricsSource } from './testing/metricsSource.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

const CONFIG_FILE = new URL('../../../provisioning/prometheus/prometheus.yml', import.meta.url)

test.runIf(hasPrometheus)('Prometheus, configured as provisioned, finds the agent and stores its series', async () => {
  const database = connect('postgres://nobody@127.0.0.1:1/none', 'a')
  const signals = createSignals({ database, agent: 'a', rollouts: [], prometheusUrl: null, now: Date.now })
  const source = createMetricsSource(() => [rolloutReadings({ coverage: 0.25 })])
  const metrics = createMetrics({ environment: 'staging', source, signals })
  const agent = createServer((_, response) => void metrics.text().then((text) => response.end(text)))
  const port = await freePort()
  await new Promise<void>((resolve) => agent.listen(port, '127.0.0.1', resolve))
  const folder = 'provisioning/prometheus'
  const targets = [{ targets: [`127.0.0.1:${port}`], labels: { environment: 'staging' } }]
  const files = {
    [`${folder}/prometheus.yml`]: await readFile(CONFIG_FILE, 'utf8'),
    [`${folder}/targets/sti-agent-staging.json`]: JSON.stringify(targets),
  }
  const server = await startPrometheus(files, `${folder}/prometheus.yml`)
  const client = createPrometheusClient(server.url)
  const ask = (promql: string) =>
    waitForValue(
      () => client.queryAll(promql),
      (found) => found.length > 0,
      25,
    )
  expect(await ask('sti_coverage_ratio{rollout="vehicles", environment="staging"}')).toMatchObject([{ value: 0.25 }])
  expect(await ask('up{job="sti-agent", environment="staging"}')).toMatchObject([{ value: 1 }])
  expect(await client.queryAll('count({exported_environment!=""})')).toEqual([])
  agent.close()
  agent.closeAllConnections()
  await server.stop()
})
