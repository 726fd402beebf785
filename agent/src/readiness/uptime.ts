import { createPrometheusClient } from '../signals/prometheusClient.ts'

export interface JobUptime {
  readonly job: string
  /** Of all scrapes since then those that were answered, 0 to 1. */
  readonly ratio: number
  /** Scrapes that there are / scrapes that there should be. */
  readonly samples: number
}

/** How often Prometheus got an answer of Grafana and of this environment's agents, over so many seconds. */
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
        // Scrapes of the last minutes say how many there would be.
        queryValue(`max(count_over_time(${up}[5m]))`),
      ])
      if (ratio === undefined || count === undefined || recentCount === undefined)
        throw new Error(`Prometheus scrapes nothing as job ${job} in the last five minutes`)
      const expected = (recentCount / Math.min(300, Math.max(60, seconds))) * Math.max(60, seconds)
      return { job, ratio, samples: Math.min(1, count / expected) }
    }),
  )
}
