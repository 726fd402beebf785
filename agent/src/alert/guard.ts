import { agentActor } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { DecisionExecutor } from './decisionExecutor.ts'
import { decide } from './decide.ts'
import { ALERT_RULES } from './alertRules.ts'
import type { ConditionMonitor } from './conditionMonitor.ts'

/**
 * The agent's own guard: while the flag is on or a backfill runs it decides about what it reads itself as it would about
 * an alert, so that safety does not hang on the path that alerts take.
 */
export interface Guard {
  /** Decides about what was read last; waits for nothing. */
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
  /** What was done about each finding that still stands: it is done once. */
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
          // What has been rolled back stays unhealthy for as long as its spans reach back.
          const action =
            decision.action === 'incident' && context.rolledBack(finding.change) ? 'roll-back' : decision.action
          currentActions.set(key, action)
          if (lastActions.get(key) === action) continue
          executor.execute({
            rollout,
            rule,
            change: finding.change,
            decision,
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
