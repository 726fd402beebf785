import type { FlagStatus, OperationKind } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import type { Asked, Run } from '../engine/kind.ts'
import { readFacts } from '../operation/facts.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** Longer than this no rehearsal takes: what it waits for would be waited for on the table too. */
const MOST_MS = 30 * 60_000

/** The copy, with the engine's own code at work on it under the claim of the rehearsal. */
export interface Stage {
  readonly copy: Rollout
  facts(): Promise<Facts>
  /** What one kind of operation gets that is rehearsed. `verified`: the types of the copy were counted, and are right. */
  actOf(kind: OperationKind, parameters?: Record<string, unknown>): Run
  verify(): void
  /** It has run for too long, and stops. */
  overdue(): boolean
}

const OFF: Omit<FlagStatus, 'key'> = {
  enabled: false,
  percentage: 0,
  version: 0,
  changedAt: null,
  changedBy: null,
  persisted: true,
  ageSeconds: 0,
  clients: [],
  consistent: true,
  lastPropagationSeconds: null,
}

export function createStage(run: Run, copy: Rollout, environment: string): Stage {
  const until = Date.now() + MOST_MS
  const overdue = (): boolean => Date.now() > until
  let verified = false
  const facts = async (): Promise<Facts> => {
    const read = await readFacts(
      {
        state: run.database.state,
        environment,
        agentFaults: () => [],
        flag: () => ({ key: copy.file.flag.key, ...OFF }),
        backup: () => ({ available: false, ageSeconds: null, detail: 'Nobody backs up a copy.' }),
        // The file was checked against the table itself, and the copy has none of its triggers.
        checks: { read: () => Promise.resolve({ faults: [], notes: [] }) },
        promotion: () => Promise.resolve(null),
      },
      copy,
    )
    // The operations are those of the table: whatever type the copy holds was derived by this rehearsal.
    return { ...read, verified: verified || read.verified, holdsDerived: true }
  }
  return {
    copy,
    facts,
    overdue,
    verify() {
      verified = true
    },
    actOf(kind, parameters = {}) {
      verified &&= kind !== 'expand'
      return {
        ...run,
        rollout: copy,
        operation: { ...run.operation, kind, parameters, rollout: copy.name, progress: null },
        facts,
        parameters: () => parameters,
        asked: (): Asked => (overdue() && run.asked() === 'go-on' ? 'cancel' : run.asked()),
        step: (text) => run.step(`${kind} of the copy: ${text}`),
        event: (of, message, details) => run.event(of, `${kind} of the copy: ${message}`, details),
        batch: () => undefined,
        progress: () => undefined,
        turnFlagOff: () => Promise.resolve(),
      }
    },
  }
}
