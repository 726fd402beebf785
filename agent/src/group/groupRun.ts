import { setTimeout as sleep } from 'node:timers/promises'
import { agentActor, writesTable, type OperationKind } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { errorMessage, isConnectionError } from '../database/errors.ts'
import { formatCount } from '../format/format.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions, RunContext, RunOutcome } from '../kind/kind.ts'
import { OperationFailedError, OperationPausedError } from '../kind/operationErrors.ts'
import type { Log } from '../log.ts'
import { insertOperation, OperationConflict } from '../operation/insertOperation.ts'
import { claimOperation, renewOperationLease } from '../operation/operationLease.ts'
import { readOperation, type OperationRow } from '../operation/operationRow.ts'
import { createOutcomeWriter, type OutcomeWriter } from '../operation/outcomeWriter.ts'
import { startRun, withResolvedNames, type OperationObserver, type RunControl } from '../operation/runContext.ts'
import type { GroupWork } from '../operation/runner.ts'
import { transitionOperation } from '../operation/transition.ts'
import { checkGroup } from '../rollout/checkGroup.ts'
import { findTables } from '../rollout/findTables.ts'
import type { QualifiedName } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { RolloutGroup } from '../rollout/rolloutGroup.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import {
  assignChildren,
  readTouchedTables,
  saveChild,
  type ChildOutcome,
  type ChildRow,
  type ChildState,
} from './childStore.ts'
import {
  childFault,
  childParameters,
  GROUP_KINDS,
  isDone,
  isGroupKind,
  stageAfter,
  type GroupKind,
} from './childWork.ts'
import { createSessionPool } from './sessionPool.ts'

export interface GroupDependencies {
  readonly agent: string
  readonly database: Database
  readonly kinds: OperationDefinitions
  /** Reads the facts of the rollout of one table. */
  readonly facts: (child: Rollout) => Promise<RolloutFacts>
  /** Reads the throttle signals of the group until `stop` is called. */
  readonly watchPressure: (group: string) => { readings: ThrottleReadings; stop: () => void }
  /** Turns the flag of the group off. */
  readonly turnFlagOff: (group: string, reason: string) => Promise<void>
  readonly observer: OperationObserver
  readonly reached: FailpointHook
  readonly log: Log
  readonly leaseSeconds?: number
}

/** Tables in which an operation works at the same time, unless its parameters say otherwise. */
const AT_ONCE = 2
/** A table that is locked, or whose operation another agent still holds, is tried again after this time. */
const RETRY_MS = 1_000
const IDLE_MS = 100
const NAMED_TABLES = 5

/** One rollout of a table, and what the operation of the group knows of it. */
interface Child {
  readonly rollout: Rollout
  row: ChildRow
}

/** Runs the operations of a group: each as an operation of its own in every table, which any agent can resume. */
export function createGroupWork(deps: GroupDependencies, group: RolloutGroup): GroupWork {
  const compiled = new Map<string, Rollout>()
  const childOf = (table: QualifiedName): Rollout => {
    const rollout = compiled.get(table.sql) ?? group.child(table)
    compiled.set(table.sql, rollout)
    return rollout
  }
  return {
    derivationHash: group.derivationHash,
    async run(row, control) {
      const kind = requireGroupKind(row.kind)
      const tables = await selectTables(deps, group, row, control)
      const sessions = createSessionPool(deps.database)
      const pressure = deps.watchPressure(group.name)
      try {
        const rollouts = tables.map(childOf)
        const rows = await assignChildren(deps.database.state, group.name, row.id, rollouts)
        const children = rollouts.map((rollout): Child => ({ rollout, row: rows.get(rollout.name)! }))
        const driver = createDriver(
          { ...deps, database: sessions },
          { kind, row, control, children, pressure: pressure.readings, group: group.name },
        )
        return await driver.run()
      } finally {
        pressure.stop()
        await sessions.end()
      }
    },
  }
}

function requireGroupKind(kind: OperationKind): GroupKind {
  if (isGroupKind(kind)) return kind
  throw new OperationFailedError(
    'refused',
    `A rollout with several tables has the operations ${GROUP_KINDS.join(', ')}. Run ${kind} for a file with one table.`,
  )
}

/**
 * The tables of an operation. Before the first table is touched, expand checks one of each kind.
 * @throws OperationFailedError with the faults
 */
async function selectTables(
  { database }: Pick<GroupDependencies, 'database'>,
  group: RolloutGroup,
  row: OperationRow,
  control: RunControl,
): Promise<readonly QualifiedName[]> {
  control.setStep('looking for the tables')
  const sql = database.engine({ purpose: 'tables' })
  try {
    if (row.kind === 'expand' && row.epoch === 1n) {
      const { tables, differences, faults } = await checkGroup(sql, group)
      if (faults.length > 0) throw new OperationFailedError('refused', `No table was changed. ${faults.join(' ')}`)
      if (differences.length > 0) await control.recordEvent('note', differences.join(' '))
      return tables
    }
    const found = await findTables(sql, group)
    // What was changed is rolled back even if the file no longer names it.
    if (row.kind === 'rollback') {
      const touched = await readTouchedTables(database.state, group.name)
      return [...new Map([...found.tables, ...touched].map((table) => [table.sql, table])).values()]
    }
    if (found.faults.length > 0) throw new OperationPausedError(found.faults.join(' '))
    return found.tables
  } finally {
    await sql.end({ timeout: 1 })
  }
}

interface GroupOperation {
  readonly group: string
  readonly kind: GroupKind
  readonly row: OperationRow
  readonly control: RunControl
  readonly children: readonly Child[]
  readonly pressure: ThrottleReadings
}

function createDriver(deps: GroupDependencies, operation: GroupOperation): { run(): Promise<RunOutcome> } {
  const { kind, row, control, children } = operation
  const { state: sql } = deps.database
  const leaseSeconds = deps.leaseSeconds ?? 10
  // The metrics have one series for the group: thousands of tables would each have their own. Its operation ends once.
  const observer: OperationObserver = {
    batchWritten: (child, seconds, rows) =>
      deps.observer.batchWritten({ ...child, rollout: operation.group }, seconds, rows),
    operationEnded: () => undefined,
  }
  const outcomes: OutcomeWriter = createOutcomeWriter({ ...deps, observer, wake: () => undefined })
  /** Errors after which no table can continue. */
  const failures: unknown[] = []
  const mayContinue = (): boolean => control.directive() === 'continue' && failures.length === 0

  const count = (state: ChildState): number => children.filter((child) => child.row.state === state).length
  const showStep = (): void => {
    const failed = count('failed') + count('paused')
    control.setStep(
      `${formatCount(count('succeeded'))} of ${formatCount(children.length)} tables done${failed === 0 ? '' : `, ${formatCount(failed)} failed`}`,
    )
  }

  const save = async (child: Child, outcome: ChildOutcome): Promise<void> => {
    await saveChild(sql, child.rollout.name, outcome)
    const { operation: operation_id, ...rest } = outcome
    child.row = { ...child.row, ...rest, operation_id }
    showStep()
  }

  /** Works on one table until its operation ends. False: it is tried again later. */
  const runChild = async (child: Child): Promise<boolean> => {
    const { rollout } = child
    const begun = child.row.operation_id === null ? null : await readOperation(sql, child.row.operation_id)
    if (begun !== null && (await finished(child, begun))) return true
    let facts: RolloutFacts | null = null
    let stage = child.row.stage
    let { id } = begun ?? { id: 0n }
    if (begun === null) {
      facts = await deps.facts(rollout)
      stage = facts.stage
      const parameters = childParameters(kind, rollout, row.parameters)
      const untouched = { stage, operation: null, seconds: null }
      if (isDone(deps.kinds, kind, facts, parameters)) {
        await save(child, { ...untouched, state: 'succeeded', error: null })
        return true
      }
      const refusals = deps.kinds[kind].refusals(facts, parameters)
      if (refusals.length > 0) {
        await save(child, { ...untouched, state: 'failed', error: refusals.join(' ') })
        return true
      }
      try {
        const inserted = await insertOperation(sql, {
          rollout: rollout.name,
          kind,
          parameters,
          fileHash: rollout.hash,
          derivationHash: rollout.derivationHash,
          writesTable: writesTable({ kind, parameters }),
          actor: row.actor,
          reason: row.reason,
          idempotencyKey: `${kind} ${row.id} of ${operation.group}`,
        })
        id = inserted.row.id
        if (!inserted.created && (await finished(child, inserted.row))) return true
      } catch (error) {
        if (!(error instanceof OperationConflict)) throw error
        await save(child, { ...untouched, state: 'failed', error: error.message })
        return true
      }
      await save(child, { ...untouched, state: 'running', operation: id, error: null })
    }
    const claimed = await claimOperation(sql, {
      agent: deps.agent,
      derivationHashes: new Map([[rollout.name, rollout.derivationHash]]),
      leaseSeconds,
    })
    if (claimed === null || claimed.id !== id) return false
    const ended = await runClaimed(child, claimed, facts)
    return ended !== null && (await finished(child, ended, stage))
  }

  /** True if the operation of a table has ended or needs a person; its outcome is saved. */
  const finished = async (child: Child, ended: OperationRow, before = child.row.stage): Promise<boolean> => {
    const common = { operation: ended.id, seconds: ended.worked_seconds, stage: stageAfter(ended, before) }
    switch (ended.state) {
      case 'succeeded': {
        const error = childFault(ended)
        await save(child, { ...common, state: error === null ? 'succeeded' : 'failed', error })
        return true
      }
      case 'failed':
      case 'cancelled':
        await save(child, { ...common, state: ended.state, error: ended.error })
        return true
      case 'paused':
        if (child.row.state !== 'paused') {
          await save(child, { ...common, state: 'paused', error: ended.error ?? 'Paused by a person.' })
          return true
        }
        // The group was resumed since.
        await transitionOperation(sql, ended.id, 'resume', {
          actor: agentActor(deps.agent),
          message: `Resumed with operation ${row.id} of ${operation.group}.`,
        })
        await save(child, { ...common, state: 'running', error: null })
        return false
      default:
        return false
    }
  }

  const runClaimed = async (
    { rollout }: Child,
    claimed: OperationRow,
    fresh: RolloutFacts | null,
  ): Promise<OperationRow | null> => {
    const started = startRun({
      ...deps,
      observer,
      leaseSeconds,
      row: claimed,
      rollout,
      pressure: operation.pressure,
      renewLease: (seen) => renewOperationLease(sql, claimed, seen, leaseSeconds),
      turnFlagOff: (_, reason) => deps.turnFlagOff(operation.group, reason),
    })
    // The facts that the operation was started with are those of this moment.
    let unread = fresh
    const run: RunContext & RunControl = {
      ...started,
      // The group's pause, cancel or stop releases the table at its next safe point.
      directive: () => (mayContinue() ? started.directive() : 'lost'),
      readFacts() {
        const facts = unread ?? deps.facts(rollout)
        unread = null
        return Promise.resolve(facts)
      },
    }
    try {
      return await outcomes.runToOutcome(claimed, run, {
        work: async () => {
          const facts = fresh ?? (await deps.facts(rollout))
          return await deps.kinds[kind].run(withResolvedNames(run, facts))
        },
        table: rollout.table.sql,
      })
    } finally {
      run.stopHeartbeat()
    }
  }

  const todo = children.filter((child) => ['waiting', 'running', 'paused'].includes(child.row.state))
  const later: { readonly child: Child; readonly at: number }[] = []
  let active = 0

  const nextChild = (): Child | null => {
    const first = todo.shift()
    if (first !== undefined) return first
    const due = later.findIndex(({ at }) => at <= Date.now())
    return due === -1 ? null : later.splice(due, 1)[0]!.child
  }

  const work = async (): Promise<void> => {
    while (mayContinue()) {
      const child = nextChild()
      if (child === null) {
        if (active === 0 && later.length === 0) return
        await sleep(IDLE_MS)
        continue
      }
      active++
      try {
        if (!(await runChild(child))) later.push({ child, at: Date.now() + RETRY_MS })
      } catch (error) {
        // Without the database, no table can continue: the group is released, and resumes from what is stored.
        failures.push(error)
        if (!isConnectionError(error))
          deps.log({
            level: 'error',
            message: `${child.rollout.name}: ${errorMessage(error)}`,
            error: errorMessage(error),
          })
      } finally {
        active--
      }
    }
  }

  return {
    async run() {
      showStep()
      const atOnce = Number(row.parameters['atOnce'] ?? AT_ONCE)
      await Promise.all(Array.from({ length: atOnce }, work))
      if (failures.length > 0) throw failures[0]
      if (control.directive() === 'cancel') await cancelChildren()
      if (control.directive() !== 'continue') return { outcome: 'stopped' }
      return conclude()
    },
  }

  /** The operations of the tables end with that of the group. */
  async function cancelChildren(): Promise<void> {
    const event = { actor: agentActor(deps.agent), message: `Operation ${row.id} of ${operation.group} was cancelled.` }
    for (const child of children) {
      const { operation_id: id, state } = child.row
      if (id === null || (state !== 'running' && state !== 'paused')) continue
      await transitionOperation(sql, id, 'cancel', event)
      await transitionOperation(sql, id, 'end', event)
      const ended = await readOperation(sql, id)
      if (ended !== null) await finished(child, ended)
    }
  }

  function conclude(): RunOutcome {
    const [failed, paused] = [named('failed', 'cancelled'), named('paused')]
    if (paused.length > 0)
      throw new OperationPausedError(
        `${describe('are paused', paused)} When the causes are fixed, resume the operation.`,
      )
    const tables = children.length
    if (failed.length > 0 && kind !== 'validation')
      throw new OperationFailedError(
        'tables',
        `${describe('failed', failed)} When the causes are fixed, start the operation again: it does only these tables.`,
      )
    const result = { tables, failed: failed.length, seconds: sumSeconds() }
    return {
      outcome: 'succeeded',
      result: kind === 'validation' ? { ...result, verdict: failed.length === 0 ? 'pass' : 'fail' } : result,
    }
  }

  function named(...states: ChildState[]): ChildRow[] {
    return children.filter((child) => states.includes(child.row.state)).map((child) => child.row)
  }

  function sumSeconds(): number {
    return children.reduce((sum, child) => sum + (child.row.seconds ?? 0), 0)
  }

  function describe(what: string, rows: readonly ChildRow[]): string {
    const named = rows
      .slice(0, NAMED_TABLES)
      .map(({ schema_name: schema, error }) => `${schema}: ${error ?? 'cancelled'}`)
    const more = rows.length - named.length
    return `${formatCount(rows.length)} of ${formatCount(children.length)} tables ${what}. ${named.join(' ')}${more === 0 ? '' : ` And ${formatCount(more)} more.`}`
  }
}
