import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface MetricsApplication {
  /** The lines for the rollout file. */
  readonly file: string
  /** Sets the share of requests that fail from now on. */
  fail(ratio: number): void
  /** Removes the metrics page, or restores it. */
  hide(hidden: boolean): void
  /** When a failed request was first read, in milliseconds since 1970; null: never. */
  firstReadAt(): number | null
  stop(): void
}

const REQUESTS_PER_SCRAPE = 25

/** Starts an application for the duration of a test. */
export async function withMetricsApplication(use: (application: MetricsApplication) => Promise<void>): Promise<void> {
  const application = await startMetricsApplication()
  try {
    await use(application)
  } finally {
    application.stop()
  }
}

/** An application's metrics page: with each read, more requests have ended. */
export async function startMetricsApplication(): Promise<MetricsApplication> {
  const ended = { '200': 0, '503': 0 }
  let ratio = 0
  let hidden = false
  let firstReadAt: number | null = null
  const server = createServer((_, answer) => {
    const failed = Math.round(REQUESTS_PER_SCRAPE * ratio)
    ended['200'] += REQUESTS_PER_SCRAPE - failed
    ended['503'] += failed
    if (failed > 0) firstReadAt ??= Date.now()
    answer.statusCode = hidden ? 500 : 200
    answer.end(
      Object.entries(ended)
        .flatMap(([status, count]) => [
          `http_request_duration_seconds_bucket{status="${status}",le="0.05"} ${count}`,
          `http_request_duration_seconds_bucket{status="${status}",le="+Inf"} ${count}`,
          `http_request_duration_seconds_sum{status="${status}"} ${count * 0.01}`,
          `http_request_duration_seconds_count{status="${status}"} ${count}`,
        ])
        .join('\n') + '\n',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    file: `api: { histogram: { url: "http://127.0.0.1:${port}/metrics", name: http_request_duration_seconds, errors: { status: "5.." } } }\n`,
    fail(wanted) {
      ratio = wanted
      firstReadAt = null
    },
    hide(wanted) {
      hidden = wanted
    },
    firstReadAt: () => firstReadAt,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
