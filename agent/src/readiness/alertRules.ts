import { boundedGet } from '../signals/boundedGet.ts'

/** Who evaluates alert rules of ours. */
export interface LoadedAlertRules {
  readonly place: 'Prometheus' | 'Grafana'
  readonly loaded: number
  /** Rules of ours that could not be evaluated. */
  readonly broken: readonly string[]
}

const REQUEST_BOUNDS = { milliseconds: 3_000, bytes: 5_000_000 }

/**
 * The alert rules of ours that Prometheus has loaded, and those that Grafana manages, as far as each could be asked.
 * @throws Error when neither could
 */
export async function fetchAlertRules(
  prometheusUrl: string | null,
  grafana: { readonly url: string; readonly token: string | null } | null,
): Promise<LoadedAlertRules[]> {
  const requests = [
    ...(prometheusUrl === null ? [] : [fetchRulesFrom('Prometheus', `${prometheusUrl}/api/v1/rules?type=alert`)]),
    ...(grafana === null
      ? []
      : [fetchRulesFrom('Grafana', `${grafana.url}/api/prometheus/grafana/api/v1/rules`, grafana.token)]),
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
  if (status !== 200) throw new Error(`${place} answers ${status} when asked for its rules`)
  const { data } = JSON.parse(text) as { data: { groups: { rules: { name: string; health: string }[] }[] } }
  const stiRules = data.groups.flatMap((group) => group.rules).filter(({ name }) => name.startsWith('Sti'))
  const broken = stiRules.filter(({ health }) => health === 'err' || health === 'error').map(({ name }) => name)
  return { place, loaded: stiRules.length, broken }
}
