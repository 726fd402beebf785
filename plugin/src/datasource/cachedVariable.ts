import type { MetricFindValue } from '@grafana/data'

/**
 * Values of dashboard variables, cached in this browser: if an agent is unavailable, its dashboard still has the
 * environment and the rollouts, so that the panels can show that they are stale.
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
