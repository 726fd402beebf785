import { expect, test } from 'vitest'
import { pollApiReadings } from './apiReadings.ts'
import { checkReadVariants, checkVariants } from './checkVariants.ts'
import type { ExpositionSample } from './exposition.ts'
import { createPrometheusClient } from './prometheusClient.ts'
import { onlyKnownSeries, scrapePromqlRequests } from './promqlRequests.ts'
import { pollRecentRequests } from './recentRequests.ts'
import { isKnown } from './reading.ts'
import { startHistogramApplication } from './testing/histogramApplication.ts'
import { hasPrometheus, startPrometheus } from './testing/prometheusServer.ts'
import { realTimeTest } from '../../../test/support/realTime.ts'
import { waitFor } from '../../../test/support/waitFor.ts'

const NAME = 'http_request_duration_seconds'
const selector = (labels: string): string => `{__name__=~"${NAME}_(bucket|sum|count)"${labels}}`
const REQUESTS = `sum by (__name__, instance, le, status) (${selector(', feature_flag_result_variant="$variant"')})`
const VALUES = { latencyAverage: '1', latencyP95: '1', errorRatio: '0', requestRate: '1' }

realTimeTest.skipIf(!hasPrometheus)(
  'with $variant in PromQL, the requests of both variants between two scrapes are those of the application',
  { timeout: 60_000 },
  async () => {
    const application = await startHistogramApplication({ variants: true })
    const target = new URL(application.url).host
    const config = `scrape_configs: [{ job_name: a, scrape_interval: 1s, scrape_timeout: 900ms, static_configs: [{ targets: ['${target}'] }] }]`
    const server = await startPrometheus({ 'prometheus.yml': config }, 'prometheus.yml')
    const prometheus = createPrometheusClient(server.url)
    const promql = { ...VALUES, requests: REQUESTS, errors: { status: '5..' } }
    application.failPercent(50)
    const requests = pollRecentRequests({ source: { promql }, prometheus, now: Date.now })
    const api = pollApiReadings({ source: { promql }, prometheus, intervalMs: 1_000, now: Date.now })
    requests.start()
    api.start()
    try {
      const { variantBlocks, variants } = await waitFor(
        'three blocks',
        () => {
          const reading = requests.read()
          return Promise.resolve(isKnown(reading) && reading.value.variantBlocks.length >= 3 && reading.value)
        },
        { seconds: 40 },
      )
      expect([...variants].sort()).toEqual(['off', 'on'])
      const sum = (value: (block: (typeof variantBlocks)[number]) => number): number =>
        variantBlocks.reduce((total, block) => total + value(block), 0)
      const seconds = sum(({ from, until }) => (until - from) / 1_000)
      // 200 requests per second, half of them of each variant; a scrape is up to a second off.
      for (const variant of ['on', 'off'] as const) {
        const perSecond = sum((block) => block[variant].all) / seconds
        expect(perSecond).toBeGreaterThan(50)
        expect(perSecond).toBeLessThan(150)
        expect(sum((block) => block[variant].failed) / sum((block) => block[variant].all)).toBeCloseTo(0.5, 0)
        // Durations are uniform from 10 to 30 ms.
        expect(sum((block) => block[variant].seconds) / sum((block) => block[variant].all)).toBeCloseTo(0.02, 2)
      }
      expect(variantBlocks.every(({ errorsUnknown, bounds }) => errorsUnknown === null && bounds.length === 12)).toBe(
        true,
      )
      const readings = await waitFor('the variation', () =>
        Promise.resolve(isKnown(api.read().durationVariation) && api.read()),
      )
      expect(readings.variants.size).toBe(2)
      expect(checkReadVariants({ promql }, readings)).toEqual(await checkVariants({ promql }, server.url))
      expect(await checkVariants({ promql }, server.url)).toEqual({
        found: true,
        sentence: 'Prometheus has requests of both variants.',
      })
      for (const [query, message] of [
        [selector(', none="$variant"'), /returns no series for either variant$/],
        [`sum(${selector('')})`, /without a name: it must return the series of one histogram/],
        ['{__name__=~"(http_request_duration_seconds|other)_.*", job="a"} # $variant', /series other_total/],
      ] as const)
        await expect(scrapePromqlRequests({ requests: query }, prometheus, Date.now())).rejects.toThrow(message)
    } finally {
      requests.stop()
      api.stop()
      await Promise.all([server.stop(), application.stop()])
    }
    expect(await checkVariants({ promql }, server.url)).toMatchObject({
      found: false,
      sentence: expect.stringMatching(/^api\.promql\.requests cannot be read: .*ECONNREFUSED/) as string,
    })
    expect(await checkVariants({ promql }, null)).toMatchObject({ found: false })
    expect(await checkVariants({ promql: VALUES }, server.url)).toBeNull()
  },
)

test('a process that returns is not counted from its start, and an unchanged scrape is no block', () => {
  const count = (instance: string, value: number): ExpositionSample => ({
    name: 'http_count',
    labels: { instance },
    value,
  })
  const both = { at: 0, samples: [count('a', 5), count('b', 700)] }
  const one = { at: 1, samples: [count('a', 6)] }
  const returned = { at: 2, samples: [count('b', 710), count('a', 7)] }
  expect(onlyKnownSeries(both, one)).toEqual(one)
  expect(onlyKnownSeries(one, returned)).toEqual({ at: 2, samples: [count('a', 7)] })
  expect(onlyKnownSeries(returned, { ...returned, at: 3 })).toBeNull()
})
