import type { Sql } from '../../database/connect.ts'
import { isConnectionError, errorMessage } from '../../database/errors.ts'
import type { RolloutFacts } from '../../kind/facts.ts'
import { readColumnUseTarget } from '../../statements/readColumnUseTarget.ts'
import { recordDroppedColumns } from './droppedColumns.ts'
import { recordEvaluations } from '../../measure/flagEvaluations.ts'
import { pollStatements, type StatementUseCache } from './statementWatch.ts'

/** The longest time between two polls. */
const MAX_POLL_INTERVAL_SECONDS = 10

/** Watches the application's use of the flag and the legacy columns while the flag is at 100%. */
export interface UsageWatch {
  /** Polls, unless it has just done so. Never rejects. */
  pollIfDue(facts: RolloutFacts): Promise<void>
  /** Polls immediately. */
  poll(facts: RolloutFacts): Promise<void>
}

export function createUsageWatch(dependencies: {
  readonly state: Sql
  readonly agent: string
  /** The last evaluation of the flag that this process answered, in milliseconds since 1970. */
  readonly lastEvaluation: (rollout: string) => { readonly at: number; readonly client: string | null } | null
  readonly log: (line: { level: 'warning'; message: string; error: string }) => void
}): UsageWatch {
  const { state } = dependencies
  const statementCaches = new Map<string, { of: string; known: StatementUseCache }>()
  const lastPolledAt = new Map<string, number>()
  const lastErrors = new Map<string, string>()

  async function poll(facts: RolloutFacts): Promise<void> {
    const { rollout, table } = facts
    const last = dependencies.lastEvaluation(rollout.name)
    await recordEvaluations(
      state,
      rollout.name,
      last && { secondsAgo: Math.max(0, Date.now() - last.at) / 1000, client: last.client },
    )
    if (table === null) return
    const target = await readColumnUseTarget(state, rollout, table)
    const targetKey = JSON.stringify(target.target)
    let statementCache = statementCaches.get(rollout.name)
    if (statementCache?.of !== targetKey)
      statementCaches.set(rollout.name, (statementCache = { of: targetKey, known: new Map() }))
    await pollStatements(state, rollout.name, target, statementCache.known)
  }

  return {
    poll,
    async pollIfDue(facts) {
      const { name, file } = facts.rollout
      try {
        await recordDroppedColumns(state, facts, dependencies.agent)
        if (!facts.flag.enabled || facts.flag.percentage < 100 || facts.droppedColumns.length > 0) return
        const everyMs = Math.min(MAX_POLL_INTERVAL_SECONDS, file.soak / 10) * 1000
        if (performance.now() - (lastPolledAt.get(name) ?? -Infinity) < everyMs) return
        lastPolledAt.set(name, performance.now())
        await poll(facts)
        lastErrors.delete(name)
      } catch (error) {
        if (isConnectionError(error)) return
        const message = errorMessage(error)
        if (lastErrors.get(name) === message) return
        lastErrors.set(name, message)
        dependencies.log({
          level: 'warning',
          message: `the watch on the legacy columns of rollout ${name} failed`,
          error: message,
        })
      }
    },
  }
}
