import type { MetricFindValue } from '@grafana/data'

/**
 * Answers of variables, kept in this browser: while an agent is away its dashboard still names its environment and its
 * rollouts, so that the panels can say that they are stale.
 */
export async function remembered(uid: string, query: string, ask: () => Promise<string[]>): Promise<MetricFindValue[]> {
  const key = `sti-rollout.variable.${uid}.${query}`
  try {
    const names = await ask()
    localStorage.setItem(key, JSON.stringify(names))
    return names.map((text) => ({ text }))
  } catch (error) {
    const kept = localStorage.getItem(key)
    if (kept === null) throw error
    return (JSON.parse(kept) as string[]).map((text) => ({ text }))
  }
}
