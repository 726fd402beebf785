import { agentActor } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Acting } from './act.ts'
import { decide } from './decide.ts'
import { RULES } from './rules.ts'
import type { ConditionWatch } from './watch.ts'

/**
 * The agent's own guard: while the flag is on or a backfill runs it decides about what it reads itself as it would about
 * an alert, so that safety does not hang on the path that alerts take.
 */
export interface Guard {
  /** Decides about what was read last; waits for nothing. */
  look(): void
}

export interface GuardParts {
  readonly environment: string
  readonly agent: string
  readonly rollouts: readonly Rollout[]
  readonly watch: ConditionWatch
  readonly acting: Acting
}

export function createGuard({ environment, agent, rollouts, watch, acting }: GuardParts): Guard {
  const actor = agentActor(agent)
  /** What was done about each finding that still stands: it is done once. */
  let done = new Map<string, string>()

  return {
    look() {
      const standing = new Map<string, string>()
      for (const rollout of rollouts) {
        for (const finding of watch.findings(rollout.name)) {
          const situation = watch.situation(rollout.name, finding.rule)
          if (finding.state !== 'unhealthy' || situation.underWay === null) continue
          const rule = { name: finding.rule, ...RULES[finding.rule] }
          const decision = decide(
            {
              by: 'guard',
              rule,
              status: 'firing',
              unevaluated: null,
              environment,
              scope: null,
              over: false,
              change: finding.change,
              startedAt: situation.now,
            },
            situation,
          )
          const key = JSON.stringify([rollout.name, finding.rule, finding.change])
          // What has been rolled back stays unhealthy for as long as its spans reach back.
          const act = decision.act === 'incident' && situation.rolledBack(finding.change) ? 'roll-back' : decision.act
          standing.set(key, act)
          if (done.get(key) === act) continue
          acting.carryOut({
            rollout,
            rule,
            change: finding.change,
            decision,
            actor,
            source: 'guard',
            times: 1,
            evidence: {},
            reading: { state: finding.state, sentence: finding.sentence },
            summary: finding.sentence,
            startedAt: situation.now,
          })
        }
      }
      done = standing
    },
  }
}
