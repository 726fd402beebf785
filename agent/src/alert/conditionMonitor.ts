import type { FlagStatus, VariantComparison } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import { createFindingDebouncer, evaluateConditions } from './evaluateConditions.ts'
import type { ConditionFinding } from './conditions/conditionFinding.ts'
import { activeChange } from './conditions/conditionInput.ts'
import type { DecisionContext } from './decide.ts'
import { judgeEnabling, type EnableJudgement } from './judgeEnabling.ts'
import type { RollbackPauseCache } from './rollbackPauseCache.ts'
import { validationRemark } from './validationRemark.ts'
import { rollbackKey, type AlertingState } from './alertingState.ts'
import { createVariantMonitor, type VariantMonitor } from './variantMonitor.ts'

/** The agent's own reading of every condition, in memory. */
export interface ConditionMonitor {
  /** Receives the state that was just read from the database. */
  updateState(rollout: string, state: AlertingState): void
  /** Evaluates every condition; synchronous. */
  evaluate(): void
  findings(rollout: string): readonly ConditionFinding[]
  /** Requests by type against requests by legacy columns; null: there is no control group now. */
  comparison(rollout: string): VariantComparison | null
  /** The context of a decision on a rule; `rollout` null: the environment as a whole. */
  decisionContext(rollout: string | null, rule: string): DecisionContext
  /** Marks this change as rolled back for this rule. False: it already is. */
  claim(rollout: string, rule: string, change: string): boolean
  /** What the application's readings say about turning the flag on for this percentage now. */
  judgeEnabling(rollout: string, percentage: number): EnableJudgement
  stop(): void
}

export interface ConditionMonitorDependencies {
  readonly environment: string
  readonly rollouts: readonly Rollout[]
  readonly flag: (rollout: string) => FlagStatus
  readonly signals: Pick<Signals, 'api' | 'requests' | 'watchRequests'>
  readonly rollbackPauses: RollbackPauseCache
  /** Scopes that the editor level may roll back. */
  readonly editorScopes: readonly string[]
  readonly now?: () => number
}

interface MonitoredConditions {
  readonly rollout: Rollout
  readonly variants: VariantMonitor
  readonly debouncer: ReturnType<typeof createFindingDebouncer>
  readonly claimedRollbacks: Set<string>
  state: AlertingState | null
  inconsistentSince: number | null
  activeChange: { readonly change: string; readonly since: number } | null
  findings: readonly ConditionFinding[]
  /** Set while requests are counted, which is while a change is active. */
  stopCounting: (() => void) | null
}

export function createConditionMonitor(dependencies: ConditionMonitorDependencies): ConditionMonitor {
  const { flag, signals, rollbackPauses, now = Date.now } = dependencies
  const monitored = new Map<string, MonitoredConditions>(
    dependencies.rollouts.map((rollout) => [
      rollout.name,
      {
        rollout,
        variants: createVariantMonitor(rollout),
        debouncer: createFindingDebouncer(),
        claimedRollbacks: new Set<string>(),
        state: null,
        inconsistentSince: null,
        activeChange: null,
        findings: [],
        stopCounting: null,
      },
    ]),
  )

  function evaluateRollout(entry: MonitoredConditions): void {
    const { name, file } = entry.rollout
    const at = now()
    const status = flag(name)
    entry.inconsistentSince = status.consistent ? null : (entry.inconsistentSince ?? at)
    const change = activeChange({ flag: status, state: entry.state })
    if (change !== entry.activeChange?.change) entry.activeChange = change === null ? null : { change, since: at }
    if (change !== null) entry.stopCounting ??= signals.watchRequests(name)
    else {
      entry.stopCounting?.()
      entry.stopCounting = null
    }
    const requests = signals.requests(name)
    entry.variants.update({ now: at, flag: status, requests })
    const findings = evaluateConditions({
      now: at,
      flag: status,
      inconsistentSince: entry.inconsistentSince,
      state: entry.state,
      activeSeconds: (at - (entry.activeChange?.since ?? at)) / 1_000,
      requests,
      comparison: entry.variants.comparison(),
      controlLimits: entry.variants.controlLimits(),
      counted: file.api?.histogram !== undefined,
      api: signals.api(name),
    })
    entry.findings = entry.debouncer.debounce(findings, at)
  }

  function describePause(rollout: string): string | null {
    const pause = rollbackPauses.get(rollout)
    return pause ? `until ${pause.until.toISOString().slice(0, 16)}Z by ${pause.by.name}: ${pause.reason}` : null
  }

  return {
    updateState(rollout, state) {
      const entry = monitored.get(rollout)
      if (entry) entry.state = state
    },
    evaluate: () => monitored.forEach(evaluateRollout),
    findings: (rollout) => monitored.get(rollout)?.findings ?? [],
    comparison: (rollout) => monitored.get(rollout)?.variants.comparison() ?? null,
    decisionContext(rollout, rule) {
      const entry = rollout === null ? undefined : monitored.get(rollout)
      const base = { now: now(), environment: dependencies.environment, editorScopes: dependencies.editorScopes }
      if (entry === undefined || rollout === null) {
        return {
          ...base,
          rollout: rollout === null ? null : 'unknown',
          activeChange: null,
          reading: null,
          automaticScopes: [],
          armed: true,
          pauseDescription: null,
          validationRemark: null,
          rolledBack: () => false,
        }
      }
      const finding = entry.findings.find((candidate) => candidate.rule === rule)
      return {
        ...base,
        rollout: 'known',
        activeChange: activeChange({ flag: flag(rollout), state: entry.state }),
        reading: finding ? { state: finding.state, sentence: finding.sentence } : null,
        automaticScopes: entry.rollout.file.automaticRollback,
        armed: rollbackPauses.isArmed(rollout),
        pauseDescription: describePause(rollout),
        validationRemark: validationRemark(rule, entry.state, base.now),
        rolledBack: (change) => {
          const key = rollbackKey(rule, change)
          return entry.claimedRollbacks.has(key) || entry.state?.rolledBack.has(key) === true
        },
      }
    },
    claim(rollout, rule, change) {
      const claimed = monitored.get(rollout)?.claimedRollbacks
      if (claimed === undefined || claimed.has(rollbackKey(rule, change))) return false
      claimed.add(rollbackKey(rule, change))
      return true
    },
    judgeEnabling(rollout, percentage) {
      const entry = monitored.get(rollout)
      if (entry === undefined) return { refusals: [], warnings: [] }
      const { api, automaticRollback } = entry.rollout.file
      const pause = describePause(rollout)
      return judgeEnabling({
        api: signals.api(rollout),
        counted: api === undefined ? null : api.histogram !== undefined,
        state: entry.state,
        percentage,
        controlLimits: entry.variants.limitsIfFull({
          now: now(),
          flag: dependencies.flag(rollout),
          requests: signals.requests(rollout),
        }),
        notArmedReason: !automaticRollback.includes('flag')
          ? 'The rollout file allows no automatic rollback of the flag, so it would stay on.'
          : rollbackPauses.isArmed(rollout) === true
            ? null
            : `Automatic rollback is paused${pause === null ? '' : ` ${pause}`}, so the flag would stay on.`,
      })
    },
    stop: () => monitored.forEach((entry) => entry.stopCounting?.()),
  }
}
