import { boundedGet } from '../signals/fetch.ts'

/** Who evaluates alert rules of ours. */
export interface AlertRules {
  readonly place: 'Prometheus' | 'Grafana'
  readonly loaded: number
  /** Rules of ours that could not be evaluated. */
  readonly broken: readonly string[]
}

const BOUNDS = { milliseconds: 3_000, bytes: 5_000_000 }

/**
 * The alert rules of ours that Prometheus has loaded, and those that Grafana manages, as far as each could be asked.
 * @throws Error when neither could
 */
export async function lookAtAlertRules(
  prometheusUrl: string | null,
  grafana: { readonly url: string; readonly token: string | null } | null,
): Promise<AlertRules[]> {
  const asked = [
    ...(prometheusUrl === null ? [] : [rulesAt('Prometheus', `${prometheusUrl}/api/v1/rules?type=alert`)]),
    ...(grafana === null
      ? []
      : [rulesAt('Grafana', `${grafana.url}/api/prometheus/grafana/api/v1/rules`, grafana.token)]),
  ]
  const answers = await Promise.allSettled(asked)
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const refused = answers.find((answer) => answer.status === 'rejected')
  if (found.length === 0 && refused !== undefined) throw refused.reason
  return found
}

async function rulesAt(place: AlertRules['place'], url: string, token: string | null = null): Promise<AlertRules> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const { status, text } = await boundedGet(url, { ...BOUNDS, headers })
  if (status !== 200) throw new Error(`${place} answers ${status} when asked for its rules`)
  const { data } = JSON.parse(text) as { data: { groups: { rules: { name: string; health: string }[] }[] } }
  const ours = data.groups.flatMap((group) => group.rules).filter(({ name }) => name.startsWith('Sti'))
  const broken = ours.filter(({ health }) => health === 'err' || health === 'error').map(({ name }) => name)
  return { place, loaded: ours.length, broken }
}
