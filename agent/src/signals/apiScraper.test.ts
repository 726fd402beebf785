import { createServer, type Server } from 'node:http'
import { Counter, Histogram, Registry } from 'prom-client'
import { expect } from 'vitest'
import { freePort } from '../../../test/support/server.ts'
import { parseExposition } from './exposition.ts'
import { createPrometheusClient } from './prometheusClient.ts'
import { isKnown, type Reading } from './reading.ts'
import { createApiScraper, histogramQuantile } from './apiScraper.ts'
import { hasPrometheus, startPrometheus } from './testing/prometheusServer.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

const HISTOGRAM = { name: 'request_seconds', errors: { status: '5..' }, variant: 'variant' }

test('averages, errors, and rates are computed from the change between two scrapes; without requests they are unknown', async () => {
  const { histogram, url, stop } = await startTestApplication()
  let clock = 0
  const read = createApiScraper({ ...HISTOGRAM, url }, () => clock)
  expect((await read()).requestRate).toEqual({ unknown: 'the metrics have no histogram request_seconds' })
  for (let i = 0; i < 30; i++) histogram.observe({ route: 'a"},\n\\', status: '200' }, 0.1)
  clock = 5_000
  const first = await read()
  expect(first.requestRate).toEqual({ value: 6, at: 5_000 })
  expect(knownValue(first.latencyAverage)).toBeCloseTo(0.1)
  expect(knownValue(first.errorRatio)).toBe(0)
  for (let i = 0; i < 10; i++) histogram.observe({ route: 'b', status: '503' }, 0.3)
  clock = 10_000
  const second = await read()
  expect(knownValue(second.errorRatio)).toBe(0.25)
  expect(knownValue(second.latencyAverage)).toBeCloseTo(0.15)
  for (clock = 15_000; clock <= 45_000; clock += 5_000) await read()
  const idle = await read()
  expect(idle.requestRate).toMatchObject({ value: 0 })
  expect(idle.latencyP95).toEqual({ unknown: 'no request ended in the last 30 s' })
  expect(isKnown(idle.errorRatio)).toBe(false)
  await stop()
})

test('metrics without an error label, too large, redirected, or missing are reported', async () => {
  const { histogram, url, stop } = await startTestApplication()
  histogram.observe({ route: 'a', status: '200' }, 0.1)
  let clock = 0
  const unlabelled = createApiScraper({ ...HISTOGRAM, url, errors: { code: '5..' } }, () => clock)
  await unlabelled()
  histogram.observe({ route: 'a', status: '200' }, 0.1)
  clock = 5_000
  expect((await unlabelled()).errorRatio).toEqual({
    unknown: 'request_seconds has no label code, so errors cannot be identified',
  })
  const reading = (path: string) => createApiScraper({ ...HISTOGRAM, url: url.replace('/metrics', path) }, Date.now)()
  await expect(reading('/long')).rejects.toThrow('/long: its response is larger than 976.6 KiB')
  await expect(reading('/redirect')).rejects.toThrow('it answers with a redirect: use the final URL')
  await expect(reading('/silent')).rejects.toThrow('no answer within 2000 ms')
  await expect(reading('/page')).rejects.toThrow("line 1 of the metrics is not in Prometheus' text format")
  await stop()
  await expect(reading('/metrics')).rejects.toThrow('ECONNREFUSED')
})

test.runIf(hasPrometheus)('quantiles, rates, and error ratios equal those of Prometheus', async () => {
  const { histogram, url, stop } = await startTestApplication()
  const target = new URL(url).host
  const config = `scrape_configs: [{ job_name: a, scrape_interval: 500ms, scrape_timeout: 400ms, static_configs: [{ targets: ['${target}'] }] }]`
  const server = await startPrometheus({ 'prometheus.yml': config }, 'prometheus.yml')
  const client = createPrometheusClient(server.url)
  const read = createApiScraper({ ...HISTOGRAM, url }, Date.now)
  histogram.observe({ route: 'a', status: '200' }, 0.1)
  histogram.observe({ route: 'a', status: '500' }, 0.1)
  await waitForValue(
    () => client.queryAll('up'),
    ([up]) => up?.value === 1,
  )
  let random = 42
  const next = (): number => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647
  for (let turn = 0; turn < 50; turn++) {
    for (let i = 0; i < 20; i++) {
      histogram.observe({ route: 'a', status: next() < 0.1 ? '500' : '200' }, 0.002 / (next() + 0.0005))
    }
    if (turn % 5 === 0) await read()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const ours = await read()
  const count = 'sum(rate(request_seconds_count[5s]))'
  const theirs = async (promql: string): Promise<number> => knownValue(await client.queryOne(promql, 0))
  expect(knownValue(ours.errorRatio)).toBeCloseTo(
    await theirs(`sum(rate(request_seconds_count{status=~"5.."}[5s])) / ${count}`),
    1,
  )
  expect(relativeDifference(knownValue(ours.requestRate), await theirs(count))).toBeLessThan(0.25)
  const p95 = `histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[5s])))`
  expect(relativeDifference(knownValue(ours.latencyP95), await theirs(p95))).toBeLessThan(0.1)
  const average = `sum(rate(request_seconds_sum[5s])) / ${count}`
  expect(relativeDifference(knownValue(ours.latencyAverage), await theirs(average))).toBeLessThan(0.25)

  // The same counts give exactly the same result.
  const text = await (await fetch(url)).text()
  const buckets = new Map<number, number>()
  for (const { labels, value } of parseExposition(text, (name) => name === 'request_seconds_bucket')) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
    buckets.set(bound, (buckets.get(bound) ?? 0) + value)
  }
  await waitForValue(
    () => theirs('sum(request_seconds_count)'),
    (value) => value === buckets.get(Infinity),
  )
  for (const q of [0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]) {
    expect(histogramQuantile(q, buckets)).toBeCloseTo(
      await theirs(`histogram_quantile(${q}, sum by (le) (request_seconds_bucket))`),
      12,
    )
  }
  expect(await client.queryOne('request_seconds_count', 0)).toEqual({
    unknown: 'request_seconds_count returns 2 series: it must return one',
  })
  expect(await client.queryOne('nothing_at_all', 0)).toEqual({ unknown: 'nothing_at_all returns no series' })
  expect(await client.queryOne('0 / 0', 0)).toEqual({ unknown: '0 / 0 returns NaN' })
  expect(await client.queryOne('sum(', 0)).toEqual({
    unknown: expect.stringMatching(/^Prometheus refused sum\(: .*parse error/),
  })
  await Promise.all([server.stop(), stop()])
  expect(await client.queryOne('1', 0)).toEqual({
    unknown: expect.stringMatching(/api\/v1\/query: nothing listens there \(ECONNREFUSED\)$/),
  })
})

/** A service that exports a histogram in prom-client's format, and some invalid pages. */
async function startTestApplication(): Promise<{ histogram: Histogram; url: string; stop: () => Promise<void> }> {
  const registry = new Registry()
  new Counter({ name: 'other_total', help: 'With a line\nin its help.', registers: [registry] }).inc()
  const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
  const histogram = new Histogram({
    name: 'request_seconds',
    help: 'Requests.',
    buckets,
    labelNames: ['route', 'status'],
    registers: [registry],
  })
  const server: Server = createServer((request, response) => {
    if (request.url === '/metrics') return void registry.metrics().then((text) => response.end(text))
    if (request.url === '/long') return void response.end('# long\n'.repeat(200_000))
    if (request.url === '/redirect') return void response.writeHead(302, { location: '/metrics' }).end()
    if (request.url === '/page') return void response.end('<!doctype html>')
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    histogram,
    url: `http://127.0.0.1:${port}/metrics`,
    stop: () => new Promise((resolve) => (server.close(() => resolve()), server.closeAllConnections())),
  }
}

function knownValue(reading: Reading<number>): number {
  if (!isKnown(reading)) throw new Error(reading.unknown)
  return reading.value
}

function relativeDifference(a: number, b: number): number {
  return Math.abs(a - b) / b
}
