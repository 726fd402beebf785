import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { startPostgres } from '../../../test/support/server.ts'
import { connect } from '../database/connect.ts'
import { createSignals } from '../signals/signals.ts'
import { createMetrics } from './metrics.ts'
import { rolloutReadings, createMetricsSource } from './testing/metricsSource.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('while the server is frozen, a scrape does not wait for it and reports it; readings resume with the server', async () => {
  const server = await startPostgres()
  onTestFinished(server.stop)
  const group = Number((await readFile(join(server.folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
  const database = connect(server.url, 'a')
  const signals = createSignals({ database, agent: 'a', rollouts: [], prometheusUrl: null, now: Date.now })
  const metrics = createMetrics({
    environment: 'staging',
    source: createMetricsSource(() => [rolloutReadings()]),
    signals,
  })
  const up = (state: 0 | 1) =>
    waitForValue(metrics.text, (text) => text.includes(`sti_database_up{environment="staging"} ${state}`), 20)
  const { readings: throttle, stop: stopWatching } = signals.watchThrottle('vehicles')
  signals.start()
  expect(await up(1)).toContain('sti_database_lock_waiters{environment="staging"} 0')
  await waitForValue(throttle.lockWaiters, (reading) => 'value' in reading)

  const frozen = [group, ...(await childProcesses(group))]
  frozen.forEach((pid) => process.kill(pid, 'SIGSTOP'))
  try {
    const scrapes: number[] = []
    const end = Date.now() + 9_000
    while (Date.now() < end) {
      const began = performance.now()
      await metrics.text()
      scrapes.push(performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    scrapes.sort((a, b) => a - b)
    // The slowest scrape depends on the load of the machine; one that waited for the server would take 2 s.
    expect(scrapes[Math.floor(scrapes.length / 2)]).toBeLessThan(100)
    expect(scrapes.at(-1)).toBeLessThan(1_000)
    const text = await up(0)
    expect(text).not.toMatch(/^sti_database_(connections|lock|buffer|query)/m)
    expect(text).toContain('sti_flag_enabled{environment="staging",rollout="vehicles"} 0')
    expect(throttle.lockWaiters()).toEqual({
      unknown: expect.stringMatching(/s ago: PostgreSQL did not answer within/),
    })
  } finally {
    frozen.forEach((pid) => process.kill(pid, 'SIGCONT'))
  }
  await up(1)
  await waitForValue(throttle.lockWaiters, (reading) => 'value' in reading)

  await server.embedded.stop()
  await up(0)
  await server.embedded.start()
  await up(1)
  stopWatching()
  await signals.stop()
  await database.close()
})

async function childProcesses(parent: number): Promise<number[]> {
  const listed = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')
  return listed.trim().split(' ').map(Number)
}
