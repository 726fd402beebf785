import { RollbackParameters } from '../contract/index.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { finishRollback } from './finishRollback.ts'
import { describeUnreverted, planRevert, type PlannedRevert } from './revertPlan.ts'
import { prepareRollback } from './prepareRollback.ts'
import { rollbackRefusals } from './rollbackRefusals.ts'
import { columnCreatedBySti, mustClearColumn } from './revertChanges.ts'
import { revertChange } from './revertChange.ts'

/** The rollback of every journaled change to the table; what enhanced monitoring changed is not of this room. */
export const systemRollback: OperationDefinition<'rollback'> = {
  kind: 'rollback',
  refusals: rollbackRefusals,
  async preview({ database, rollout, table, facts }, parameters) {
    const force = RollbackParameters.parse(parameters).force === true
    const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, readOnly: true })
    try {
      const plan = await planRevert(sql, rollout, facts.changes)
      const revertible = plan.filter((one) => one.standing !== 'gone' && (force || one.standing === 'ours'))
      const clears = mustClearColumn(facts)
      return {
        rows: clears ? Math.round(table.estimatedRows ?? 0) : 0,
        statements: revertible.map(({ change }) => change.inverse),
        notes: [
          ...(facts.flag.enabled ? ['Turns the flag off first, and waits until every client has seen it.'] : []),
          ...(columnCreatedBySti(facts) || clears ? ['Archives what legacy columns cannot express.'] : []),
          'Each change is taken back in a transaction of its own that looks at the catalog before and after it.',
          ...plan
            .filter((one) => !revertible.includes(one) && one.standing !== 'gone')
            .map((one) => `Left as it is, unless forced: ${describeUnreverted(one)}.`),
          ...(force
            ? revertible.filter((one) => one.standing !== 'ours').map((one) => `Forced: ${describeUnreverted(one)}.`)
            : []),
          ...(clears ? facts.undeclaredTriggers : []),
        ],
      }
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
  run: runSystemRollback,
}

async function runSystemRollback(run: RunContext): Promise<RunOutcome> {
  const { rollout, database } = run
  const force = RollbackParameters.parse(run.parameters()).force === true
  const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, statementTimeoutMs: 30_000 })
  try {
    const preparation = await prepareRollback(run, sql)
    if (preparation === null) return { outcome: 'stopped' }
    const { facts, table, archivedValues, archiveSeconds } = preparation
    const revertStartedAt = performance.now()
    const { reverted, left } = await revertPlannedChanges(
      run,
      await planRevert(sql, rollout, facts.changes),
      force,
      sql,
    )
    const revertSeconds = (performance.now() - revertStartedAt) / 1000
    // Under a trigger that stays, a NULL would come back at once.
    const triggerRemains = left.some(({ change }) => change.kind === 'trigger')
    const clears = mustClearColumn(facts) && !triggerRemains
    const completion = await finishRollback(run, table, { clears, complete: left.length === 0 && !clears })
    if (completion === null) return { outcome: 'stopped' }
    await run.failpoint('system.compared')
    return {
      outcome: 'succeeded',
      result: {
        archivedValues,
        archiveSeconds,
        reverted,
        revertSeconds,
        left: left.map(describeUnreverted),
        ...completion,
      },
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function revertPlannedChanges(
  run: RunContext,
  plan: readonly PlannedRevert[],
  force: boolean,
  sql: Parameters<typeof revertChange>[1],
) {
  await run.failpoint('system.planned')
  const reverted: string[] = []
  const left: PlannedRevert[] = []
  for (const [i, planned] of plan.entries()) {
    const { change, standing } = planned
    run.setStep(`taking back ${change.object}, ${i + 1} of ${plan.length}`)
    const skipped = !force && (standing === 'changed' || standing === 'kept')
    // What stands on it was left just now.
    const dependent = left.find(
      (one) => change.kind === 'column' || (change.kind === 'function' && one.change.kind === 'trigger'),
    )
    const why =
      skipped || (dependent && !force)
        ? (planned.why ?? `${dependent!.change.object} stands on it`)
        : await revertChange(run, sql, planned, force)
    if (why !== null) {
      left.push({ ...planned, why })
      await run.recordEvent('rollback', `left as it is: ${describeUnreverted({ ...planned, why })}`)
    } else if (standing === 'gone') await run.recordEvent('rollback', `gone already: ${change.object}`)
    else {
      reverted.push(change.object)
      await run.recordEvent('ddl', `taken back: ${change.object}`, { before: change.statement, after: change.inverse })
    }
  }
  return { reverted, left }
}
