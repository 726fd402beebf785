import { createServer } from 'node:http'
import { Counter, Histogram, Registry } from 'prom-client'
import { freePort } from '../../../../test/support/server.ts'

/** A service that exports its requests in prom-client's format; the test sets the duration of each request. */
export interface HistogramApplication {
  /** The URL of its metrics. */
  readonly url: string
  /** The lines for the rollout file. */
  readonly file: string
  /** Multiplies the duration of requests from now on. */
  slowDown(times: number): void
  /** Multiplies the duration of requests with the flag on as well. */
  slowDownNewCode(times: number): void
  /** Sets the percentage of requests that fail from now on. */
  failPercent(percent: number): void
  stop(): Promise<void>
}

const REQUESTS_PER_SECOND = 200

/** `variants`: half of the requests have the flag on, and all have the label of their variant. */
export async function startHistogramApplication({ variants = false } = {}): Promise<HistogramApplication> {
  const registry = new Registry()
  const buckets = [0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1]
  const histogram = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Requests.',
    buckets,
    labelNames: ['status', 'feature_flag_result_variant'],
    registers: [registry],
  })
  new Counter({ name: 'other_total', help: 'Something else.', registers: [registry] }).inc()
  let [times, timesOn, percent, state] = [1, 1, 0, 20_260]
  const uniform = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
  // Computed from the clock, since timers are late on a busy machine.
  const began = performance.now()
  let done = 0
  const timer = setInterval(() => {
    for (; done < ((performance.now() - began) / 1000) * REQUESTS_PER_SECOND; done++) {
      const status = uniform() * 100 < percent ? '500' : '200'
      const duration = times * (0.01 + 0.02 * uniform())
      if (!variants) {
        histogram.observe({ status }, duration)
        continue
      }
      const variant = uniform() < 0.5 ? 'on' : 'off'
      histogram.observe(
        { status, feature_flag_result_variant: variant },
        variant === 'on' ? timesOn * duration : duration,
      )
    }
  }, 50)
  const server = createServer((_, response) => void registry.metrics().then((text) => response.end(text)))
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${port}/metrics`
  return {
    url,
    file: `api: { histogram: { url: "${url}", name: http_request_duration_seconds, errors: { status: "5.." } } }\n`,
    slowDown: (wanted) => void (times = wanted),
    slowDownNewCode: (wanted) => void (timesOn = wanted),
    failPercent: (wanted) => void (percent = wanted),
    stop() {
      clearInterval(timer)
      return new Promise((resolve) => (server.close(() => resolve()), server.closeAllConnections()))
    },
  }
}
