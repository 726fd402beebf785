import type { FlagStatus } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import { findingsOf } from './conditions.ts'
import type { Finding } from './conditions/finding.ts'
import { underWay } from './conditions/seen.ts'
import type { Situation } from './decide.ts'
import type { Holds } from './holds.ts'
import { createPersistence } from './persistence.ts'
import { pairOf, type AlarmState } from './state.ts'

/** What the agent itself reads of every rule, in memory. */
export interface ConditionWatch {
  /** Takes what was just read from the database. */
  saw(rollout: string, state: AlarmState): void
  /** Reads every condition anew; waits for nothing. */
  look(): void
  findings(rollout: string): readonly Finding[]
  /** What a decision about a rule needs to know; `rollout` null: of the environment as a whole. */
  situation(rollout: string | null, rule: string): Situation
  /** From now on this change counts as rolled back for this rule. False: it did already. */
  claim(rollout: string, rule: string, change: string): boolean
  stop(): void
}

export interface ConditionWatchParts {
  readonly environment: string
  readonly rollouts: readonly Rollout[]
  readonly flag: (rollout: string) => FlagStatus
  readonly signals: Pick<Signals, 'api' | 'requests' | 'watchRequests'>
  readonly holds: Holds
  /** Scopes that the level editor may roll back. */
  readonly editorScopes: readonly string[]
  readonly now?: () => number
}

interface Watched {
  readonly rollout: Rollout
  readonly persistence: ReturnType<typeof createPersistence>
  readonly claimed: Set<string>
  state: AlarmState | null
  inconsistentSince: number | null
  underWay: { readonly change: string; readonly since: number } | null
  findings: readonly Finding[]
  /** Counts requests while something of ours is under way. */
  stopCounting: (() => void) | null
}

export function createConditionWatch(parts: ConditionWatchParts): ConditionWatch {
  const { flag, signals, holds, now = Date.now } = parts
  const watched = new Map<string, Watched>(
    parts.rollouts.map((rollout) => [
      rollout.name,
      {
        rollout,
        persistence: createPersistence(),
        claimed: new Set<string>(),
        state: null,
        inconsistentSince: null,
        underWay: null,
        findings: [],
        stopCounting: null,
      },
    ]),
  )

  function lookAt(of: Watched): void {
    const { name, file } = of.rollout
    const at = now()
    const status = flag(name)
    of.inconsistentSince = status.consistent ? null : (of.inconsistentSince ?? at)
    const change = underWay({ flag: status, state: of.state })
    if (change !== of.underWay?.change) of.underWay = change === null ? null : { change, since: at }
    if (change !== null) of.stopCounting ??= signals.watchRequests(name)
    else {
      of.stopCounting?.()
      of.stopCounting = null
    }
    const found = findingsOf({
      now: at,
      flag: status,
      inconsistentSince: of.inconsistentSince,
      state: of.state,
      underWaySeconds: (at - (of.underWay?.since ?? at)) / 1_000,
      requests: signals.requests(name),
      counted: file.api?.histogram !== undefined,
      api: signals.api(name),
    })
    of.findings = of.persistence.settled(found, at)
  }

  function heldText(rollout: string): string | null {
    const hold = holds.of(rollout)
    return hold ? `${hold.by.name}, until ${hold.until.toISOString().slice(0, 16)}Z: ${hold.reason}` : null
  }

  return {
    saw(rollout, state) {
      const of = watched.get(rollout)
      if (of) of.state = state
    },
    look: () => watched.forEach(lookAt),
    findings: (rollout) => watched.get(rollout)?.findings ?? [],
    situation(rollout, rule) {
      const of = rollout === null ? undefined : watched.get(rollout)
      const base = { now: now(), environment: parts.environment, editorScopes: parts.editorScopes }
      if (of === undefined || rollout === null) {
        return {
          ...base,
          rollout: rollout === null ? null : 'unknown',
          underWay: null,
          reading: null,
          scopes: [],
          armed: true,
          held: null,
          rolledBack: () => false,
        }
      }
      const finding = of.findings.find((one) => one.rule === rule)
      return {
        ...base,
        rollout: 'known',
        underWay: underWay({ flag: flag(rollout), state: of.state }),
        reading: finding ? { state: finding.state, sentence: finding.sentence } : null,
        scopes: of.rollout.file.automaticRollback,
        armed: holds.armed(rollout),
        held: heldText(rollout),
        rolledBack: (change) => {
          const pair = pairOf(rule, change)
          return of.claimed.has(pair) || of.state?.rolledBack.has(pair) === true
        },
      }
    },
    claim(rollout, rule, change) {
      const claimed = watched.get(rollout)?.claimed
      if (claimed === undefined || claimed.has(pairOf(rule, change))) return false
      claimed.add(pairOf(rule, change))
      return true
    },
    stop: () => watched.forEach((of) => of.stopCounting?.()),
  }
}
