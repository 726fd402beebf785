import type { MetricFindValue } from '@grafana/data'

/**
 * Answers of variables, kept in this browser: while an agent is away its dashboard still names its environment and its
 * rollouts, so that the panels can say that they are stale.
 */
export async function cachedVariable(
  uid: string,
  query: string,
  fetchValues: () => Promise<string[]>,
): Promise<MetricFindValue[]> {
  const key = `sti-rollout.variable.${uid}.${query}`
  try {
    const names = await fetchValues()
    localStorage.setItem(key, JSON.stringify(names))
    return names.map((text) => ({ text }))
  } catch (error) {
    const cached = localStorage.getItem(key)
    if (cached === null) throw error
    return (JSON.parse(cached) as string[]).map((text) => ({ text }))
  }
}
