import { agentActor } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { DecisionExecutor } from './decisionExecutor.ts'
import { decide } from './decide.ts'
import { ALERT_RULES } from './alertRules.ts'
import type { ConditionMonitor } from './conditionMonitor.ts'

/**
 * The agent's own guard: while the flag is on or a backfill runs, it treats its own readings like alerts, so that a
 * rollback does not depend on Prometheus and Grafana.
 */
export interface Guard {
  /** Decides on the latest readings; synchronous. */
  evaluate(): void
}

export interface GuardDependencies {
  readonly environment: string
  readonly agent: string
  readonly rollouts: readonly Rollout[]
  readonly monitor: ConditionMonitor
  readonly executor: DecisionExecutor
}

export function createGuard({ environment, agent, rollouts, monitor, executor }: GuardDependencies): Guard {
  const actor = agentActor(agent)
  /** The action taken for each finding that is still unhealthy, so that it is taken once. */
  let lastActions = new Map<string, string>()

  return {
    evaluate() {
      const currentActions = new Map<string, string>()
      for (const rollout of rollouts) {
        for (const finding of monitor.findings(rollout.name)) {
          const context = monitor.decisionContext(rollout.name, finding.rule)
          if (finding.state !== 'unhealthy' || context.activeChange === null) continue
          const rule = { name: finding.rule, ...ALERT_RULES[finding.rule] }
          const decision = decide(
            {
              source: 'guard',
              rule,
              status: 'firing',
              evaluationFailure: null,
              environment,
              scope: null,
              seenResolved: false,
              change: finding.change,
              startedAt: context.now,
            },
            context,
          )
          const key = JSON.stringify([rollout.name, finding.rule, finding.change])
          // After a rollback the finding stays unhealthy until its time windows have passed.
          const action =
            decision.action === 'incident' && context.rolledBack(finding.change) ? 'roll-back' : decision.action
          currentActions.set(key, action)
          if (lastActions.get(key) === action) continue
          executor.execute({
            rollout,
            rule,
            change: finding.change,
            isCurrentChange: true,
            decision,
            alert: null,
            actor,
            source: 'guard',
            alertCount: 1,
            evidence: {},
            reading: { state: finding.state, sentence: finding.sentence },
            summary: finding.sentence,
            startedAt: context.now,
          })
        }
      }
      lastActions = currentActions
    },
  }
}
