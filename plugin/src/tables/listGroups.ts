import type { AgentRollouts } from '../rollout/rolloutRows'
import type { AgentDataSource } from '../agent/agentDataSources'

/** A rollout with several tables in one database. */
export interface GroupRow {
  readonly key: string
  readonly agent: AgentDataSource
  readonly environment: string
  readonly production: boolean
  readonly rollout: string
}

/** The rollouts with several tables whose rollout or environment contains `text`; agents of one database report the same. */
export function listGroups(agents: readonly AgentRollouts[], text: string): GroupRow[] {
  const rows = new Map<string, GroupRow>()
  // An agent that answers now comes before one whose last answer is kept.
  for (const { agent, answer } of [...agents].sort((a, b) => Number(a.error !== null) - Number(b.error !== null))) {
    if (answer === null) continue
    const { environment, production, database, groups = [] } = answer.status
    for (const rollout of groups) {
      const key = JSON.stringify([environment, database ?? agent.uid, rollout])
      if (!rows.has(key)) rows.set(key, { key, agent, environment, production, rollout })
    }
  }
  const wanted = text.trim().toLowerCase()
  return [...rows.values()].filter(({ environment, rollout }) =>
    [environment, rollout].some((name) => name.toLowerCase().includes(wanted)),
  )
}
