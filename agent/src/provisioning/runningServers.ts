import { parse } from 'yaml'
import { displayUrl, joinUrl, splitCredentials } from '../format/url.ts'
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
  const get = createClient('Grafana', url, token)
  const points = (await get('/api/v1/provisioning/contact-points')) as readonly { name: string }[]
  const source = await get(`/api/datasources/uid/${encodeURIComponent(file.prometheus)}`, 404)
  const rules = (await get('/api/v1/provisioning/alert-rules')) as readonly { uid: string }[]
  const loaded = new Set(rules.map(({ uid }) => uid))
  const missing = ruleUids.filter((uid) => !loaded.has(uid))
  const stale = [...loaded].filter((uid) => uid.startsWith('sti-') && !ruleUids.includes(uid))
  return {
    contactPoints: new Set(points.map(({ name }) => name)),
    faults: [
      ...(source === null
        ? [`Grafana has no data source with the uid ${file.prometheus}. Set prometheus to that of your Prometheus`]
        : []),
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
  const status = (await createClient('Alertmanager', url, null)('/api/v2/status')) as { config: { original: string } }
  const running = receiversOf(status.config.original)
  const missing = receiversOf(expected).filter((name) => !running.includes(name))
  return missing.map((name) => `Alertmanager has no receiver ${name}. Load the written file, and reload Alertmanager`)
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
  /** Data sources and scrape targets. */
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
    const get = createClient('Grafana', urls.grafana, token)
    const rules = (await get('/api/v1/provisioning/alert-rules')) as readonly { title: string }[]
    const points = (await get('/api/v1/provisioning/contact-points')) as readonly { uid: string; name: string }[]
    const sources = (await get('/api/datasources')) as readonly { name: string; type: string }[]
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
  }
  if (urls.prometheus !== null) {
    const get = createClient('Prometheus', urls.prometheus, null)
    const { data } = (await get('/api/v1/rules?type=alert')) as { data: { groups: { rules: { name: string }[] }[] } }
    const targets = (await get('/api/v1/targets?state=active')) as {
      data: { activeTargets: { labels: Record<string, string>; scrapeUrl: string }[] }
    }
    add(
      alerting,
      'alert rules in Prometheus',
      data.groups.flatMap(({ rules }) => rules.map(({ name }) => name)).filter(isOurs),
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
    const get = createClient('Alertmanager', urls.alertmanager, null)
    const status = (await get('/api/v2/status')) as { config: { original: string } }
    const firing = (await get('/api/v2/alerts?active=true')) as readonly { labels: Record<string, string> }[]
    add(
      alerting,
      'receivers in Alertmanager',
      receiversOf(status.config.original).filter((name) => /^(sti-agents$|STI )/.test(name)),
    )
    add(alerting, 'alerts in Alertmanager', firing.map(({ labels }) => labels['alertname'] ?? '').filter(isOurs))
  }
  return { alerting, others }
}

const receiversOf = (text: string): string[] =>
  (parse(text) as { receivers: readonly { name: string }[] }).receivers.map(({ name }) => name)

const TIMEOUT_MS = 10_000

/** The URL of a path with its query. */
function pathUrl(base: URL, path: string): string {
  const [pathname = '', query = ''] = path.split('?')
  return joinUrl(base.href, pathname, Object.fromEntries(new URLSearchParams(query)))
}

/** @param accepted a status that means that the object does not exist */
function createClient(server: string, url: string, token: string | null) {
  const address = displayUrl(url)
  const { url: base, authorization } = splitCredentials(url)
  const credentials = token === null ? authorization : `Bearer ${token}`
  return async (path: string, accepted?: number): Promise<unknown> => {
    const headers: Record<string, string> = credentials === null ? {} : { authorization: credentials }
    const request = fetch(pathUrl(base, path), { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
    const response = await request.catch((error: Error) => {
      const reason = error.cause instanceof Error ? error.cause.message : error.message
      throw new ServerCheckError(`${server} at ${address} cannot be reached (${reason})`)
    })
    if (response.status === accepted) return null
    if (!response.ok) {
      const advice =
        response.status === 401 || response.status === 403
          ? '. Set STI_GRAFANA_TOKEN to the token of a service account with the Editor role'
          : ''
      throw new ServerCheckError(`${server} answered ${path} with ${response.status}${advice}`)
    }
    return await response.json()
  }
}
