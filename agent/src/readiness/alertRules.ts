import { joinUrl } from '../format/url.ts'
import { boundedGet } from '../boundedGet.ts'
import { readGrafanaToken, type GrafanaToken } from './grafanaToken.ts'

/** The STI alert rules that one evaluator has loaded. */
export interface LoadedAlertRules {
  readonly place: 'Prometheus' | 'Grafana'
  readonly loaded: number
  /** Rules whose last evaluation failed. */
  readonly broken: readonly string[]
}

const REQUEST_BOUNDS = { milliseconds: 3_000, bytes: 5_000_000 }

/**
 * The STI alert rules that Prometheus and Grafana have loaded. Skips one of the two if it is unreachable.
 * @throws Error if both are unreachable
 */
export async function fetchAlertRules(
  prometheusUrl: string | null,
  grafana: { readonly url: string; readonly token: GrafanaToken } | null,
): Promise<LoadedAlertRules[]> {
  const requests = [
    ...(prometheusUrl === null
      ? []
      : [fetchRulesFrom('Prometheus', joinUrl(prometheusUrl, '/api/v1/rules', { type: 'alert' }))]),
    ...(grafana === null
      ? []
      : [
          readGrafanaToken(grafana.token).then((token) =>
            fetchRulesFrom('Grafana', joinUrl(grafana.url, '/api/prometheus/grafana/api/v1/rules'), token),
          ),
        ]),
  ]
  const results = await Promise.allSettled(requests)
  const loadedRules = results.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const rejection = results.find((answer) => answer.status === 'rejected')
  if (loadedRules.length === 0 && rejection !== undefined) throw rejection.reason
  return loadedRules
}

async function fetchRulesFrom(
  place: LoadedAlertRules['place'],
  url: string,
  token: string | null = null,
): Promise<LoadedAlertRules> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const { status, text } = await boundedGet(url, { ...REQUEST_BOUNDS, headers })
  if (status !== 200) throw new Error(`${place} returned HTTP ${status} for its alert rules`)
  const { data } = JSON.parse(text) as { data: { groups: { rules: { name: string; health: string }[] }[] } }
  const stiRules = data.groups.flatMap((group) => group.rules).filter(({ name }) => name.startsWith('Sti'))
  const broken = stiRules.filter(({ health }) => health === 'err' || health === 'error').map(({ name }) => name)
  return { place, loaded: stiRules.length, broken }
}
