import type { FlagStatus, OperationKind } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { Directive, RunContext } from '../kind/kind.ts'
import { readFacts } from '../operation/readFacts.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** The timeout of a rehearsal, since whatever blocks it would block the rollout of the table, too. */
const MAX_DURATION_MS = 30 * 60_000

/** The copy, and what the operations need to run on it under the claim of the rehearsal. */
export interface Sandbox {
  readonly copy: Rollout
  facts(): Promise<RolloutFacts>
  /** The run context of a rehearsed operation. */
  runFor(kind: OperationKind, parameters?: Record<string, unknown>): RunContext
  /** The types in the copy were counted and are correct. */
  markVerified(): void
  /** The rehearsal has timed out. */
  isOverdue(): boolean
}

const FLAG_OFF: Omit<FlagStatus, 'key'> = {
  enabled: false,
  percentage: 0,
  version: 0,
  changedAt: null,
  changedBy: null,
  persisted: true,
  pendingOff: null,
  ageSeconds: 0,
  clients: [],
  consistent: true,
  longestRequestSeconds: 0,
  lastPropagationSeconds: null,
}

export function createSandbox(run: RunContext, copy: Rollout, environment: string): Sandbox {
  const deadline = Date.now() + MAX_DURATION_MS
  const isOverdue = (): boolean => Date.now() > deadline
  let verified = false
  const facts = async (): Promise<RolloutFacts> => {
    const copyFacts = await readFacts(
      {
        state: run.database.state,
        environment,
        agent: run.agent,
        agentFaults: () => [],
        flag: () => ({ key: copy.file.flag.key, ...FLAG_OFF }),
        backup: () => ({ available: false, expected: false, ageSeconds: null, detail: 'The copy is not backed up.' }),
        // The rollout file was checked against the table itself, and the copy has none of its triggers.
        checks: { read: () => Promise.resolve({ rollout: copy, faults: [], notes: [] }) },
        promotion: () => Promise.resolve(null),
      },
      copy,
    )
    // The operations in the facts are those of the table, but every type in the copy was derived by this rehearsal.
    return { ...copyFacts, coverageVerified: verified || copyFacts.coverageVerified, mayHoldDerivedValues: true }
  }
  return {
    copy,
    facts,
    isOverdue,
    markVerified() {
      verified = true
    },
    runFor(kind, parameters = {}) {
      verified &&= kind !== 'expand'
      return {
        ...run,
        rollout: copy,
        operation: { ...run.operation, kind, parameters, rollout: copy.name, progress: null },
        readFacts: facts,
        parameters: () => parameters,
        directive: (): Directive => (isOverdue() && run.directive() === 'continue' ? 'cancel' : run.directive()),
        setStep: (text) => run.setStep(`${kind} on the copy: ${text}`),
        recordEvent: (eventKind, message, details) =>
          run.recordEvent(eventKind, `${kind} on the copy: ${message}`, details),
        observeBatch: () => undefined,
        reportProgress: () => undefined,
        turnFlagOff: () => Promise.resolve(),
      }
    },
  }
}
