import { createPrometheusClient } from '../signals/prometheusClient.ts'

export interface JobUptime {
  readonly job: string
  /** Successful scrapes / all scrapes, 0 to 1. */
  readonly ratio: number
  /** Recorded scrapes / expected scrapes, 0 to 1. */
  readonly samples: number
}

/**
 * The uptime of Grafana and of the agents of this environment over the last `seconds`.
 * @throws Error if Prometheus does not scrape one of them
 */
export async function fetchUptime(url: string, environment: string, seconds: number): Promise<JobUptime[]> {
  const client = createPrometheusClient(url)
  const selectors = {
    grafana: 'up{job="grafana"}',
    'sti-agent': `up{job="sti-agent",environment=${JSON.stringify(environment)}}`,
  }
  const range = `${Math.max(60, Math.ceil(seconds))}s`
  return await Promise.all(
    Object.entries(selectors).map(async ([job, up]) => {
      const queryValue = async (promql: string): Promise<number | undefined> =>
        (await client.queryAll(promql))[0]?.value
      const [ratio, count, recentCount] = await Promise.all([
        queryValue(`min(avg_over_time(${up}[${range}]))`),
        queryValue(`max(count_over_time(${up}[${range}]))`),
        // The scrapes of the last five minutes determine the expected number.
        queryValue(`max(count_over_time(${up}[5m]))`),
      ])
      if (ratio === undefined || count === undefined || recentCount === undefined)
        throw new Error(`Prometheus has not scraped job ${job} in the last 5 minutes`)
      const expected = (recentCount / Math.min(300, Math.max(60, seconds))) * Math.max(60, seconds)
      return { job, ratio, samples: Math.min(1, count / expected) }
    }),
  )
}
