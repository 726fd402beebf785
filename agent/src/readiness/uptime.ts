import { prometheus } from '../signals/prometheus.ts'

export interface Uptime {
  readonly job: string
  /** Of all scrapes since then those that were answered, 0 to 1. */
  readonly ratio: number
  /** Scrapes that there are / scrapes that there should be. */
  readonly samples: number
}

/** How often Prometheus got an answer of Grafana and of this environment's agents, over so many seconds. */
export async function lookAtUptime(url: string, environment: string, seconds: number): Promise<Uptime[]> {
  const client = prometheus(url)
  const selectors = {
    grafana: 'up{job="grafana"}',
    'sti-agent': `up{job="sti-agent",environment=${JSON.stringify(environment)}}`,
  }
  const range = `${Math.max(60, Math.ceil(seconds))}s`
  return await Promise.all(
    Object.entries(selectors).map(async ([job, up]) => {
      const one = async (promql: string): Promise<number | undefined> => (await client.all(promql))[0]?.value
      const [ratio, count, lately] = await Promise.all([
        one(`min(avg_over_time(${up}[${range}]))`),
        one(`max(count_over_time(${up}[${range}]))`),
        // Scrapes of the last minutes say how many there would be.
        one(`max(count_over_time(${up}[5m]))`),
      ])
      if (ratio === undefined || count === undefined || lately === undefined)
        throw new Error(`Prometheus scrapes nothing as job ${job} in the last five minutes`)
      const expected = (lately / Math.min(300, Math.max(60, seconds))) * Math.max(60, seconds)
      return { job, ratio, samples: Math.min(1, count / expected) }
    }),
  )
}
