import { parse } from 'yaml'
import { z } from 'zod'
import { boundedGet } from '../boundedGet.ts'
import { joinUrl, splitCredentials } from '../format/url.ts'
import type { AlertingFile } from './alertingFile.ts'

/** A server that does not answer as expected; the message names the server and the reason. */
export class ServerCheckError extends Error {
  readonly code = 'server-check'
}

/** What a running Grafana has of what the files refer to. */
export interface GrafanaObjects {
  readonly contactPoints: ReadonlySet<string>
  /** Sentences about what is missing for alerts to work. */
  readonly faults: readonly string[]
}

/**
 * Reads the contact points, the data source and the loaded rules of a running Grafana.
 *
 * @param token of a service account that may read alert provisioning; null: the URL has a user name, or nothing is needed
 * @throws ServerCheckError
 */
export async function checkGrafana(
  url: string,
  token: string | null,
  file: AlertingFile,
  ruleUids: readonly string[],
): Promise<GrafanaObjects> {
  const { get, exists } = createClient('Grafana', url, token)
  const points = await get('/api/v1/provisioning/contact-points', ContactPoints)
  const hasSource = await exists(`/api/datasources/uid/${encodeURIComponent(file.prometheus)}`)
  const rules = await get('/api/v1/provisioning/alert-rules', GrafanaRules)
  const loaded = new Set(rules.map(({ uid }) => uid))
  const missing = ruleUids.filter((uid) => !loaded.has(uid))
  const stale = [...loaded].filter((uid) => uid.startsWith('sti-') && !ruleUids.includes(uid))
  return {
    contactPoints: new Set(points.map(({ name }) => name)),
    faults: [
      ...(hasSource
        ? []
        : [`Grafana has no data source with the uid ${file.prometheus}. Set prometheus to that of your Prometheus`]),
      ...(missing.length === 0
        ? []
        : [
            `Grafana has not loaded ${missing.length} of ${ruleUids.length} rules. Restart it after the files are written`,
          ]),
      ...(stale.length === 0
        ? []
        : [`Grafana still has rules that are no longer in the files: ${stale.join(', ')}. Delete them`]),
    ],
  }
}

/**
 * Compares the configuration that a running Alertmanager uses with the generated one.
 *
 * @throws ServerCheckError
 */
export async function checkAlertmanager(url: string, expected: string): Promise<readonly string[]> {
  const running = await createClient('Alertmanager', url).get('/api/v2/status', AlertmanagerReceivers)
  const missing = receiversOf(expected).filter((name) => !running.includes(name))
  return missing.map((name) => `Alertmanager has no receiver ${name}. Load the written file, and reload Alertmanager`)
}

/**
 * Whether a running Prometheus has loaded the alert rules and sends alerts to an Alertmanager.
 *
 * @throws ServerCheckError
 */
export async function checkPrometheus(url: string, alerts: readonly string[]): Promise<readonly string[]> {
  const { get } = createClient('Prometheus', url)
  const rules = await get('/api/v1/rules', PrometheusRules, { type: 'alert' })
  const { data } = await get('/api/v1/alertmanagers', PrometheusAlertmanagers)
  const loaded = rules.data.groups.flatMap(({ rules }) => rules.map(({ name }) => name))
  const missing = alerts.filter((alert) => !loaded.includes(alert))
  return [
    ...(missing.length === 0
      ? []
      : [
          `Prometheus has not loaded ${missing.length} of ${alerts.length} rules: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}. Name the *.rules.yml files of the package in rule_files, and reload it`,
        ]),
    ...(data.activeAlertmanagers.length > 0
      ? []
      : ['Prometheus sends alerts to no Alertmanager. Name yours in alerting.alertmanagers, and reload it']),
  ]
}

/** The servers that may still know of STI; null: not asked. */
export interface ServerUrls {
  readonly grafana: string | null
  readonly prometheus: string | null
  readonly alertmanager: string | null
}

/** What servers still have of STI, one sentence each. */
export interface ServerTraces {
  /** Rules and receivers, which would notify somebody once the agents are stopped. */
  readonly alerting: readonly string[]
  /** Data sources, service accounts and scrape targets. */
  readonly others: readonly string[]
}

const isOurs = (name: string): boolean => /^Sti[A-Z]/.test(name)

/**
 * Reads what Grafana, Prometheus and Alertmanager still have of STI.
 *
 * @param token of Grafana; null: its URL has a user name, or nothing is needed
 * @throws ServerCheckError
 */
export async function readServerTraces(urls: ServerUrls, token: string | null): Promise<ServerTraces> {
  const alerting: string[] = []
  const others: string[] = []
  const add = (list: string[], what: string, names: readonly string[]): void => {
    if (names.length > 0)
      list.push(`${what}: ${[...new Set(names)].slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`)
  }
  if (urls.grafana !== null) {
    const { get } = createClient('Grafana', urls.grafana, token)
    const rules = await get('/api/v1/provisioning/alert-rules', GrafanaRules)
    const points = await get('/api/v1/provisioning/contact-points', ContactPoints)
    const sources = await get('/api/datasources', DataSources)
    const { serviceAccounts } = await get('/api/serviceaccounts/search', ServiceAccounts, { query: 'sti-agent' })
    add(alerting, 'alert rules in Grafana', rules.map(({ title }) => title).filter(isOurs))
    add(
      alerting,
      'contact points in Grafana',
      points.filter(({ uid }) => /^sti-(agent|contact)-/.test(uid)).map(({ name }) => name),
    )
    add(
      others,
      'data sources in Grafana',
      sources.filter(({ type }) => type === 'sti-rollout-datasource').map(({ name }) => name),
    )
    add(
      others,
      'service accounts in Grafana',
      serviceAccounts.map(({ name }) => name).filter((name) => /^sti-agent(-|$)/.test(name)),
    )
  }
  if (urls.prometheus !== null) {
    const { get } = createClient('Prometheus', urls.prometheus)
    const rules = await get('/api/v1/rules', PrometheusRules, { type: 'alert' })
    const targets = await get('/api/v1/targets', PrometheusTargets, { state: 'active' })
    add(
      alerting,
      'alert rules in Prometheus',
      rules.data.groups.flatMap(({ rules }) => rules.map(({ name }) => name)).filter(isOurs),
    )
    add(
      others,
      'scrape targets in Prometheus',
      targets.data.activeTargets
        .filter(({ labels }) => labels['job'] === 'sti-agent')
        .map(({ scrapeUrl }) => scrapeUrl),
    )
  }
  if (urls.alertmanager !== null) {
    const { get } = createClient('Alertmanager', urls.alertmanager)
    const receivers = await get('/api/v2/status', AlertmanagerReceivers)
    const firing = await get('/api/v2/alerts', FiringAlerts, { active: 'true' })
    add(
      alerting,
      'receivers in Alertmanager',
      receivers.filter((name) => /^(sti-agents$|STI )/.test(name)),
    )
    add(alerting, 'alerts in Alertmanager', firing.map(({ labels }) => labels['alertname'] ?? '').filter(isOurs))
  }
  return { alerting, others }
}

const receiversOf = (configuration: string): string[] =>
  AlertmanagerConfig.parse(parse(configuration)).receivers.map(({ name }) => name)

const Labels = z.record(z.string(), z.string())
const GrafanaRules = z.array(z.object({ uid: z.string(), title: z.string() }))
const ContactPoints = z.array(z.object({ uid: z.string(), name: z.string() }))
const DataSources = z.array(z.object({ name: z.string(), type: z.string() }))
const ServiceAccounts = z.object({ serviceAccounts: z.array(z.object({ name: z.string() })) })
const PrometheusRules = z.object({
  data: z.object({ groups: z.array(z.object({ rules: z.array(z.object({ name: z.string() })) })) }),
})
const PrometheusAlertmanagers = z.object({
  data: z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }),
})
const PrometheusTargets = z.object({
  data: z.object({ activeTargets: z.array(z.object({ labels: Labels, scrapeUrl: z.string() })) }),
})
const AlertmanagerConfig = z.object({ receivers: z.array(z.object({ name: z.string() })) })
const AlertmanagerReceivers = z
  .object({ config: z.object({ original: z.string() }) })
  .transform(({ config }) => receiversOf(config.original))
const FiringAlerts = z.array(z.object({ labels: Labels }))

const BOUNDS = { milliseconds: 10_000, bytes: 20_000_000 }

/** A client of one server. @throws ServerCheckError from every call */
function createClient(server: 'Grafana' | 'Prometheus' | 'Alertmanager', url: string, token: string | null = null) {
  // The token takes the place of a user name in the URL.
  const base = token === null ? url : splitCredentials(url).url.href
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const login =
    server === 'Grafana'
      ? 'Set STI_GRAFANA_TOKEN to the token of a service account with the Editor role'
      : 'Put a user name and a password into its URL'

  async function request(path: string, parameters?: Readonly<Record<string, string>>) {
    try {
      return await boundedGet(joinUrl(base, path, parameters), { ...BOUNDS, headers })
    } catch (error) {
      throw new ServerCheckError(`${server} cannot be reached (${(error as Error).message})`)
    }
  }
  function requireOk(path: string, status: number): void {
    if (status >= 200 && status < 300) return
    const advice = status === 401 || status === 403 ? `. ${login}` : ''
    throw new ServerCheckError(`${server} answered ${path} with ${status}${advice}`)
  }
  return {
    async get<T>(path: string, form: z.ZodType<T>, parameters?: Readonly<Record<string, string>>): Promise<T> {
      const { status, text } = await request(path, parameters)
      requireOk(path, status)
      try {
        return form.parse(JSON.parse(text))
      } catch {
        throw new ServerCheckError(`The answer to ${path} is not one of ${server}. Check the URL`)
      }
    },
    /** False if the server answers that the object does not exist. */
    async exists(path: string): Promise<boolean> {
      const { status } = await request(path)
      if (status !== 404) requireOk(path, status)
      return status !== 404
    },
  }
}
