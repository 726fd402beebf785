import type { Sql } from '../database/connect.ts'
import { createPoll, type Poll } from '../signals/poll.ts'
import { createPrometheusClient } from '../signals/prometheusClient.ts'
import type { Reading } from '../signals/reading.ts'
import { fetchAlertRules, type LoadedAlertRules } from './alertRules.ts'
import type { GrafanaToken } from './grafanaToken.ts'
import { fetchGrafanaStatus, type GrafanaStatus } from './grafanaStatus.ts'
import { fetchUptime, type JobUptime } from './uptime.ts'

/** The state of Grafana and Prometheus, read in the background. */
export interface ExternalSystems {
  readonly grafana: Reading<GrafanaStatus>
  readonly alertRules: Reading<readonly LoadedAlertRules[]>
  /** Agents of this environment that Prometheus scrapes. */
  readonly scraped: Reading<number>
  readonly uptime: Reading<readonly JobUptime[]>
}

export interface ExternalSystemsMonitor {
  start(): void
  stop(): void
  read(rollout: string): ExternalSystems
}

export interface ExternalSystemsDependencies {
  readonly state: Sql
  readonly environment: string
  readonly grafana: { readonly url: string; readonly token: GrafanaToken } | null
  readonly prometheusUrl: string | null
  readonly rollouts: readonly { readonly name: string }[]
}

const POLL_INTERVAL_MS = 30_000
const NO_PROMETHEUS = 'no Prometheus is configured (set STI_PROMETHEUS_URL)'
const NO_GRAFANA = 'no Grafana is configured (set STI_GRAFANA_URL)'

/** Polls Grafana and Prometheus every 30 s. */
export function createExternalSystemsMonitor({
  state,
  environment,
  grafana,
  prometheusUrl,
  rollouts,
}: ExternalSystemsDependencies): ExternalSystemsMonitor {
  const pollSystem = <T>(
    url: string | null,
    missing: string,
    fetchValue: (url: string) => Promise<T>,
  ): Poll<Reading<T>> =>
    createPoll<Reading<T>>({
      intervalMs: POLL_INTERVAL_MS,
      now: Date.now,
      unknown: (sentence) => ({ unknown: sentence }),
      refresh: async () => (url === null ? { unknown: missing } : { value: await fetchValue(url), at: Date.now() }),
    })
  const grafanaPoll = pollSystem(grafana?.url ?? null, NO_GRAFANA, (url) =>
    fetchGrafanaStatus(url, grafana!.token, Date.now()),
  )
  const alertRulesPoll = pollSystem(prometheusUrl ?? grafana?.url ?? null, NO_PROMETHEUS, () =>
    fetchAlertRules(prometheusUrl, grafana),
  )
  const scrapedSeriesPoll = pollSystem(prometheusUrl, NO_PROMETHEUS, async (url) => {
    const [sample] = await createPrometheusClient(url).queryAll(
      `count(sti_build_info{environment=${JSON.stringify(environment)}})`,
    )
    return sample?.value ?? 0
  })
  const uptimePolls = new Map(
    rollouts.map(({ name }) => [
      name,
      pollSystem(prometheusUrl, NO_PROMETHEUS, async (url) => {
        const [row] = await state<{ seconds: number | null }[]>`
          select extract(epoch from clock_timestamp() - min(created_at))::float8 as seconds
          from sti.operation where rollout = ${name}`
        if (row?.seconds == null) throw new Error('the rollout has not started')
        return await fetchUptime(url, environment, row.seconds)
      }),
    ]),
  )
  const polls: readonly Poll<unknown>[] = [grafanaPoll, alertRulesPoll, scrapedSeriesPoll, ...uptimePolls.values()]
  return {
    start: () => polls.forEach((poll) => poll.start()),
    stop: () => polls.forEach((poll) => poll.stop()),
    read: (rollout) => ({
      grafana: grafanaPoll.read(),
      alertRules: alertRulesPoll.read(),
      scraped: scrapedSeriesPoll.read(),
      uptime: uptimePolls.get(rollout)!.read(),
    }),
  }
}
