import { OperationKind } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { isConnectionError, errorMessage } from '../database/errors.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions, RunOutcome } from '../kind/kind.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { startMissedRollbacks } from './rollbackOnError.ts'
import { claimOperation, renewOperationLease } from './operationLease.ts'
import { runHelper } from './helperRun.ts'
import type { OperationRow } from './operationRow.ts'
import { createOutcomeWriter, type ClaimedWork } from './outcomeWriter.ts'
import {
  startControl,
  startRun,
  withResolvedNames,
  type RunControl,
  type RunDependencies,
  type StartedRun,
  type OperationObserver,
} from './runContext.ts'
import { renewHelperLease, acquireHelperLease } from './helperLease.ts'
import { deriveStage } from './rolloutStage.ts'

export interface RunnerDependencies {
  readonly agent: string
  readonly database: Database
  readonly rollouts: readonly Rollout[]
  /** The rollouts with several tables, by name. */
  readonly groups: ReadonlyMap<string, GroupWork>
  readonly kinds: OperationDefinitions
  readonly facts: (rollout: Rollout) => Promise<RolloutFacts>
  /** Reads the throttle signals of a rollout until `stop` is called. */
  readonly watchPressure: (rollout: string) => { readings: ThrottleReadings; stop: () => void }
  readonly turnFlagOff: (rollout: string, reason: string) => Promise<void>
  /** Faults that keep this agent from claiming operations. */
  readonly agentFaults: () => readonly string[]
  readonly observer: OperationObserver
  readonly reached: FailpointHook
  readonly log: Log
  readonly leaseSeconds?: number
}

/** What runs the operations of a rollout with several tables. */
export interface GroupWork {
  readonly derivationHash: string
  /** Does the work of a claimed operation in every table; returns at a safe point. */
  run(row: OperationRow, run: RunControl): Promise<RunOutcome>
}

export interface Runner {
  start(): void
  /** Polls for work immediately. */
  wake(): void
  /** Waits until running operations reach a safe point, and releases them. */
  stop(): Promise<void>
}

const POLL_INTERVAL_MS = 500

export function createRunner(deps: RunnerDependencies): Runner {
  const leaseSeconds = deps.leaseSeconds ?? 10
  const rollouts = new Map(deps.rollouts.map((rollout) => [rollout.name, rollout]))
  const { kinds } = deps
  const helpableKinds = OperationKind.options.filter((kind) => kinds[kind].runHelper !== undefined)
  const running = new Set<{ run: RunControl; ended: Promise<void> }>()
  let stopped = false
  const outcomes = createOutcomeWriter({ ...deps, wake: () => wake() })

  const claimWork = async (): Promise<void> => {
    while (!stopped && deps.agentFaults().length === 0) {
      const ofRollouts = [...rollouts].map(([name, { derivationHash }]): [string, string] => [name, derivationHash])
      await startMissedRollbacks(deps.database.state, new Map(ofRollouts))
      const ofGroups = [...deps.groups].map(([name, { derivationHash }]): [string, string] => [name, derivationHash])
      const claimant = { agent: deps.agent, derivationHashes: new Map([...ofRollouts, ...ofGroups]), leaseSeconds }
      const row = await claimOperation(deps.database.state, claimant)
      if (row !== null) {
        const renewLease: RunDependencies['renewLease'] = (seen) =>
          renewOperationLease(deps.database.state, row, seen, leaseSeconds)
        const group = deps.groups.get(row.rollout)
        if (group === undefined)
          startWork(row, renewLease, (run) =>
            execute(row, run, { work: () => runKind(row, run), table: run.rollout.table.sql }),
          )
        else startGroupWork(row, renewLease, group)
        continue
      }
      const helperLease = await acquireHelperLease(deps.database.state, claimant, helpableKinds)
      if (helperLease === null) return
      const renewLease: RunDependencies['renewLease'] = () =>
        renewHelperLease(deps.database.state, helperLease, leaseSeconds)
      startWork(helperLease.row, renewLease, (run) => runHelper(helperLease, run, kinds[helperLease.row.kind], deps))
    }
  }

  const startWork = (
    row: OperationRow,
    renewLease: RunDependencies['renewLease'],
    execute: (run: StartedRun) => Promise<void>,
  ): void => {
    const pressureWatch = deps.watchPressure(row.rollout)
    const rollout = rollouts.get(row.rollout)!
    const run = startRun({ ...deps, leaseSeconds, row, rollout, pressure: pressureWatch.readings, renewLease })
    track(
      run,
      execute(run).finally(() => pressureWatch.stop()),
    )
  }

  const startGroupWork = (row: OperationRow, renewLease: RunDependencies['renewLease'], group: GroupWork): void => {
    const run = startControl({ ...deps, leaseSeconds, row, renewLease })
    track(run, execute(row, run, { work: () => group.run(row, run), table: null }))
  }

  const track = (run: RunControl, ended: Promise<void>): void => {
    // Not by the operation's id: this agent may claim it again while its own lost run still ends.
    const entry = { run, ended }
    running.add(entry)
    void ended.finally(() => running.delete(entry))
  }

  const runKind = async (row: OperationRow, run: StartedRun): Promise<RunOutcome> => {
    const facts = excludeOperation(await deps.facts(run.rollout), Number(row.id))
    if (run.directive() === 'continue') {
      const refusals = kinds[row.kind].refusals(facts, row.parameters)
      // Only the first start is checked: after a crash, its own completed work could refuse it.
      if (row.epoch === 1n && refusals.length > 0) throw new OperationFailedError('refused', refusals.join(' '))
    }
    return await kinds[row.kind].run(withResolvedNames(run, facts))
  }

  const claimInterval = createInterval({
    intervalMs: POLL_INTERVAL_MS,
    run: claimWork,
    onError(error) {
      if (!isConnectionError(error))
        deps.log({ level: 'error', message: 'Polling for work failed.', error: errorMessage(error) })
    },
  })
  const wake = (): void => void claimInterval.runNow()

  const execute = async (row: OperationRow, run: RunControl, claimed: ClaimedWork): Promise<void> => {
    try {
      await outcomes.runToOutcome(row, run, claimed)
    } catch (error) {
      // The outcome could not be written: the lease expires, and the next holder continues from the state in the database.
      deps.log({
        level: isConnectionError(error) ? 'warning' : 'error',
        message: `The outcome of operation ${row.id} could not be written; another agent takes it over when its lease expires.`,
        error: errorMessage(error),
      })
    } finally {
      run.stopHeartbeat()
    }
  }

  return {
    start: claimInterval.start,
    wake,
    async stop() {
      stopped = true
      for (const { run } of running) run.handOver()
      await claimInterval.stop()
      await Promise.all([...running].map(({ ended }) => ended))
    },
  }
}

/** The facts without this open operation. */
function excludeOperation(facts: RolloutFacts, id: number): RolloutFacts {
  const others: RolloutFacts = {
    ...facts,
    openOperations: facts.openOperations.filter((operation) => operation.id !== id),
  }
  return { ...others, stage: deriveStage(others) }
}
