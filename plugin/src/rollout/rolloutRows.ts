import type { AgentStatus, RolloutSummary } from '@sti-rollout/agent/contract'

/** What one agent answered. */
export interface AgentRollouts {
  readonly agentName: string
  readonly status: AgentStatus
  readonly list: readonly RolloutSummary[]
}

/** One rollout in one environment; several agents of one database report the same. */
export interface RolloutRow {
  readonly environment: string
  readonly production: boolean
  readonly summary: RolloutSummary
  /** The agents that report it. */
  readonly agents: readonly string[]
}

export const SORT_OPTIONS = ['trouble', 'environment', 'rollout', 'stage'] as const
export type RolloutSort = (typeof SORT_OPTIONS)[number]

export interface RolloutFilter {
  /** Part of a name of a rollout, an environment, a table, or a stage. */
  readonly text: string
  readonly onlyTrouble: boolean
  readonly sort: RolloutSort
}

/** The rows of all agents, merged by environment and rollout; the newest answer wins. */
export function mergeRollouts(answers: readonly AgentRollouts[]): RolloutRow[] {
  const rows = new Map<string, RolloutRow>()
  for (const { agentName, status, list } of answers) {
    for (const summary of list) {
      const key = JSON.stringify([status.environment, summary.rollout])
      const known = rows.get(key)
      rows.set(key, {
        environment: status.environment,
        production: status.production,
        summary: known && known.summary.at > summary.at ? known.summary : summary,
        agents: [...(known?.agents ?? []), agentName],
      })
    }
  }
  return [...rows.values()]
}

/** How urgent a rollout is: what a person has to look at first has the highest number. */
export function troubleOf({ summary }: RolloutRow): number {
  const { openIncidents, faults, failedRows, flag, steps } = summary
  return (
    (openIncidents > 0 ? 8 : 0) +
    (faults.length > 0 || !flag.persisted ? 4 : 0) +
    (steps.some(({ state }) => state === 'failed') || !flag.consistent ? 2 : 0) +
    (failedRows > 0 ? 1 : 0)
  )
}

/** The rows that match, in order. */
export function selectRows(rows: readonly RolloutRow[], { text, onlyTrouble, sort }: RolloutFilter): RolloutRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const doneSteps = ({ summary }: RolloutRow) => summary.steps.filter(({ state }) => state === 'done').length
  const byName = (a: RolloutRow, b: RolloutRow) =>
    a.summary.rollout.localeCompare(b.summary.rollout) || a.environment.localeCompare(b.environment)
  const order: Record<RolloutSort, (a: RolloutRow, b: RolloutRow) => number> = {
    trouble: (a, b) => troubleOf(b) - troubleOf(a),
    environment: (a, b) => a.environment.localeCompare(b.environment),
    rollout: byName,
    stage: (a, b) => doneSteps(b) - doneSteps(a),
  }
  return rows
    .filter((row) => !onlyTrouble || troubleOf(row) > 0)
    .filter(({ environment, summary: { rollout, table, stage } }) => {
      const searched = [environment, rollout, table, stage].join(' ').toLowerCase()
      return words.every((word) => searched.includes(word))
    })
    .sort((a, b) => order[sort](a, b) || byName(a, b))
}
