import { RollbackParameters } from '../contract/index.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { conclude } from './conclude.ts'
import { leftText, planRevert, type Planned } from './plan.ts'
import { prepare } from './prepare.ts'
import { rollbackRefusals } from './refusals.ts'
import { columnIsOurs, mustClear } from './revert.ts'
import { settle } from './settle.ts'

/** The rollback of every journaled change to the table; what enhanced monitoring changed is not of this room. */
export const systemRollback: Kind = {
  kind: 'rollback',
  writesTable: true,
  refusals: rollbackRefusals,
  async preview({ database, rollout, table, facts }, parameters) {
    const force = RollbackParameters.parse(parameters).force === true
    const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, readOnly: true })
    try {
      const plan = await planRevert(sql, rollout, facts.changes)
      const taken = plan.filter((one) => one.standing !== 'gone' && (force || one.standing === 'ours'))
      const clears = mustClear(facts)
      return {
        rows: clears ? Math.round(table.estimatedRows ?? 0) : 0,
        statements: taken.map(({ change }) => change.inverse),
        notes: [
          ...(facts.flag.enabled ? ['Turns the flag off first, and waits until every client has seen it.'] : []),
          ...(columnIsOurs(facts) || clears ? ['Archives what legacy columns cannot express.'] : []),
          'Each change is taken back in a transaction of its own that looks at the catalog before and after it.',
          ...plan
            .filter((one) => !taken.includes(one) && one.standing !== 'gone')
            .map((one) => `Left as it is, unless forced: ${leftText(one)}.`),
          ...(force ? taken.filter((one) => one.standing !== 'ours').map((one) => `Forced: ${leftText(one)}.`) : []),
          ...(clears ? facts.undeclaredTriggers : []),
        ],
      }
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
  run: runSystemRollback,
}

async function runSystemRollback(run: Run): Promise<Outcome> {
  const { rollout, database } = run
  const force = RollbackParameters.parse(run.parameters()).force === true
  const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, statementTimeoutMs: 30_000 })
  try {
    const prepared = await prepare(run, sql)
    if (prepared === null) return { outcome: 'stopped' }
    const { facts, table, archivedValues, archiveSeconds } = prepared
    const began = performance.now()
    const { reverted, left } = await takeBack(run, await planRevert(sql, rollout, facts.changes), force, sql)
    const revertSeconds = (performance.now() - began) / 1000
    // Under a trigger that stays, a NULL would come back at once.
    const derives = left.some(({ change }) => change.kind === 'trigger')
    const clears = mustClear(facts) && !derives
    const concluded = await conclude(run, table, { clears, complete: left.length === 0 && !clears })
    if (concluded === null) return { outcome: 'stopped' }
    await run.reached('system.compared')
    return {
      outcome: 'succeeded',
      result: { archivedValues, archiveSeconds, reverted, revertSeconds, left: left.map(leftText), ...concluded },
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function takeBack(run: Run, plan: readonly Planned[], force: boolean, sql: Parameters<typeof settle>[1]) {
  await run.reached('system.planned')
  const reverted: string[] = []
  const left: Planned[] = []
  for (const [i, planned] of plan.entries()) {
    const { change, standing } = planned
    run.step(`taking back ${change.object}, ${i + 1} of ${plan.length}`)
    const skipped = !force && (standing === 'changed' || standing === 'kept')
    // What stands on it was left just now.
    const stands = left.find(
      (one) => change.kind === 'column' || (change.kind === 'function' && one.change.kind === 'trigger'),
    )
    const why =
      skipped || (stands && !force)
        ? (planned.why ?? `${stands!.change.object} stands on it`)
        : await settle(run, sql, planned, force)
    if (why !== null) {
      left.push({ ...planned, why })
      await run.event('rollback', `left as it is: ${leftText({ ...planned, why })}`)
    } else if (standing === 'gone') await run.event('rollback', `gone already: ${change.object}`)
    else {
      reverted.push(change.object)
      await run.event('ddl', `taken back: ${change.object}`, { before: change.statement, after: change.inverse })
    }
  }
  return { reverted, left }
}
