import type { Sql } from '../database/connect.ts'
import { poll, type Poll } from '../signals/poll.ts'
import { prometheus } from '../signals/prometheus.ts'
import type { Reading } from '../signals/reading.ts'
import { lookAtAlertRules, type AlertRules } from './alertRules.ts'
import { lookAtGrafana, type GrafanaSeen } from './grafana.ts'
import { lookAtUptime, type Uptime } from './uptime.ts'

/** What Grafana and Prometheus say, read in the background. */
export interface Outside {
  readonly grafana: Reading<GrafanaSeen>
  readonly alertRules: Reading<readonly AlertRules[]>
  /** Series of this agent's environment that Prometheus has. */
  readonly scraped: Reading<number>
  readonly uptime: Reading<readonly Uptime[]>
}

export interface OutsideWatch {
  start(): void
  stop(): void
  read(rollout: string): Outside
}

export interface OutsideParts {
  readonly state: Sql
  readonly environment: string
  readonly grafana: { readonly url: string; readonly token: string | null } | null
  readonly prometheusUrl: string | null
  readonly rollouts: readonly { readonly name: string }[]
}

const EVERY_MS = 30_000
const NO_PROMETHEUS = 'the agent has no Prometheus: set STI_PROMETHEUS_URL'
const NO_GRAFANA = 'the agent knows no Grafana: set STI_GRAFANA_URL'

/** Asks Grafana and Prometheus every half minute. */
export function watchOutside({ state, environment, grafana, prometheusUrl, rollouts }: OutsideParts): OutsideWatch {
  const look = <T>(url: string | null, missing: string, ask: (url: string) => Promise<T>): Poll<Reading<T>> =>
    poll<Reading<T>>({
      intervalMs: EVERY_MS,
      now: Date.now,
      unknown: (sentence) => ({ unknown: sentence }),
      refresh: async () => (url === null ? { unknown: missing } : { value: await ask(url), at: Date.now() }),
    })
  const ofGrafana = look(grafana?.url ?? null, NO_GRAFANA, (url) => lookAtGrafana(url, grafana!.token, Date.now()))
  const ofRules = look(prometheusUrl ?? grafana?.url ?? null, NO_PROMETHEUS, () =>
    lookAtAlertRules(prometheusUrl, grafana),
  )
  const ofSeries = look(prometheusUrl, NO_PROMETHEUS, async (url) => {
    const [found] = await prometheus(url).all(`count(sti_build_info{environment=${JSON.stringify(environment)}})`)
    return found?.value ?? 0
  })
  const uptimes = new Map(
    rollouts.map(({ name }) => [
      name,
      look(prometheusUrl, NO_PROMETHEUS, async (url) => {
        const [row] = await state<{ seconds: number | null }[]>`
          select extract(epoch from clock_timestamp() - min(created_at))::float8 as seconds
          from sti.operation where rollout = ${name}`
        if (row?.seconds == null) throw new Error('the rollout has not begun')
        return await lookAtUptime(url, environment, row.seconds)
      }),
    ]),
  )
  const polls: readonly Poll<unknown>[] = [ofGrafana, ofRules, ofSeries, ...uptimes.values()]
  return {
    start: () => polls.forEach((one) => one.start()),
    stop: () => polls.forEach((one) => one.stop()),
    read: (rollout) => ({
      grafana: ofGrafana.read(),
      alertRules: ofRules.read(),
      scraped: ofSeries.read(),
      uptime: uptimes.get(rollout)!.read(),
    }),
  }
}
