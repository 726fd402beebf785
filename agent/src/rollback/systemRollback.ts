import { RollbackParameters } from '../contract/index.ts'
import type { RunContext, RunOutcome, ScopeRollback } from '../kind/kind.ts'
import { finishRollback } from './finishRollback.ts'
import { describeUnreverted, planRevert, type PlannedRevert } from './revertPlan.ts'
import { prepareRollback } from './prepareRollback.ts'
import { archiveNotes } from './archivePreview.ts'
import { hasNothingToRollBack, rollbackRefusals } from './rollbackRefusals.ts'
import { mustClearColumn } from './revertChanges.ts'
import { revertChange } from './revertChange.ts'

/** The rollback of every journaled change to the table. Enhanced monitoring has its own rollback. */
export const systemRollback: ScopeRollback = {
  kind: 'rollback',
  refusals: rollbackRefusals,
  nothingToRollBack: hasNothingToRollBack,
  async preview({ database, rollout, table, facts }, parameters) {
    const force = RollbackParameters.parse(parameters).force === true
    const sql = database.engine({ purpose: 'rollback', readOnly: true })
    try {
      const plan = await planRevert(sql, rollout, facts.changes)
      const revertible = plan.filter(
        (planned) => planned.status !== 'missing' && (force || planned.status === 'unchanged'),
      )
      const clears = mustClearColumn(facts)
      return {
        rows: clears ? Math.round(table.estimatedRows ?? 0) : 0,
        statements: revertible.map(({ change }) => change.inverse),
        notes: [
          ...(facts.flag.enabled
            ? ['Turns the flag off first and waits until every client has received the change.']
            : []),
          ...(await archiveNotes(database, facts)),
          'Reverts each change in its own transaction, which checks the catalog before and after.',
          ...plan
            .filter((planned) => !revertible.includes(planned) && planned.status !== 'missing')
            .map((planned) => `Kept unless forced: ${describeUnreverted(planned)}.`),
          ...(force
            ? revertible
                .filter((planned) => planned.status !== 'unchanged')
                .map((planned) => `Forced: ${describeUnreverted(planned)}.`)
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
  const sql = database.engine({ purpose: 'rollback', statementTimeoutMs: 30_000 })
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
    // A remaining trigger would replace each NULL immediately.
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
    const { change, status } = planned
    run.setStep(`reverting ${change.object} (${i + 1} of ${plan.length})`)
    const skipped = !force && (status === 'changed' || status === 'kept')
    // An object that depends on this one was kept.
    const dependent = left.find(
      (kept) => change.kind === 'column' || (change.kind === 'function' && kept.change.kind === 'trigger'),
    )
    const why =
      skipped || (dependent && !force)
        ? (planned.why ?? `${dependent!.change.object} depends on it`)
        : await revertChange(run, sql, planned, force)
    if (why !== null) {
      left.push({ ...planned, why })
      await run.recordEvent('rollback', `kept: ${describeUnreverted({ ...planned, why })}`)
    } else if (status === 'missing') await run.recordEvent('rollback', `already removed: ${change.object}`)
    else {
      reverted.push(change.object)
      await run.recordEvent('ddl', `reverted: ${change.object}`, { before: change.statement, after: change.inverse })
    }
  }
  return { reverted, left }
}
