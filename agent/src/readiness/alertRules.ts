import { boundedGet } from '../signals/fetch.ts'

export interface AlertRules {
  readonly loaded: number
  /** Rules of ours that Prometheus could not evaluate. */
  readonly broken: readonly string[]
}

/** The alert rules of ours that Prometheus has loaded. */
export async function lookAtAlertRules(url: string): Promise<AlertRules> {
  const { status, text } = await boundedGet(`${url}/api/v1/rules?type=alert`, { milliseconds: 3_000, bytes: 5_000_000 })
  if (status !== 200) throw new Error(`Prometheus answers ${status} when asked for its rules`)
  const { data } = JSON.parse(text) as { data: { groups: { rules: { name: string; health: string }[] }[] } }
  const ours = data.groups.flatMap((group) => group.rules).filter(({ name }) => name.startsWith('Sti'))
  return { loaded: ours.length, broken: ours.filter(({ health }) => health === 'err').map(({ name }) => name) }
}
