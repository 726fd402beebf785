import { RollbackParameters } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { conclude } from './conclude.ts'
import { dependents } from './plan.ts'
import { prepare } from './prepare.ts'
import { rollbackRefusals } from './refusals.ts'
import { columnIsOurs, mustClear, revert, toRevert } from './revert.ts'

/** The rollback of the data. (The flag's own rollback waits for nothing and is not run from here: http/accept.ts.) */
export const rollback: Kind = {
  kind: 'rollback',
  writesTable: true,
  refusals: rollbackRefusals,
  async preview({ database, rollout, table, facts }, parameters) {
    const { full } = RollbackParameters.parse(parameters)
    const there = table.discriminator !== null
    const clears = mustClear(facts)
    const rows = Math.round(table.estimatedRows ?? 0)
    return {
      rows: clears ? rows : 0,
      estimatedWalBytes: clears ? rows * 400 : 65_536,
      statements: toRevert(facts, full).map((change) => change.inverse),
      notes: [
        ...(facts.flag.enabled ? ['Turns the flag off first, and waits until every client has seen it.'] : []),
        ...columnNotes(facts),
        ...(there && columnIsOurs(facts) ? (await dependents(database.state, rollout)).map(goesToo) : []),
        'Legacy columns are not touched.',
        ...(clears ? facts.undeclaredTriggers : []),
      ],
    }
  },
  run: runDataRollback,
}

const goesToo = (name: string): string => `Goes with the column, and is not ours: ${name}.`

function columnNotes(facts: Facts): string[] {
  const { rollout, table, prefilled, validation } = facts
  const column = rollout.discriminator.sql
  if (table?.discriminator == null) return [`Column ${column} is not there: nothing is dropped and nothing cleared.`]
  if (!columnIsOurs(facts) && !mustClear(facts))
    return [`Column ${column} was there before, and what it holds was not derived by us: it stays as it is.`]
  const differing = validation?.checks.find((one) => one.check === 'type-matches-legacy')?.discrepancies ?? null
  return [
    columnIsOurs(facts)
      ? `Drops column ${column}, which is instant. A session that was open before and calls a function that returns rows of the table may fail until it connects anew.`
      : `Clears column ${column} in batches: it was there before.`,
    prefilled !== null
      ? `Rows that hold ${prefilled.type}, the constant of the prefill, are not archived: nobody wrote it there.`
      : differing === null
        ? 'No validation has counted the values that legacy columns cannot express; whatever there are, they are archived.'
        : `${differing} values that legacy columns cannot express are archived (as the last validation counted).`,
  ]
}

async function runDataRollback(run: Run): Promise<Outcome> {
  const { rollout, database } = run
  const { full } = RollbackParameters.parse(run.parameters())
  const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, statementTimeoutMs: 30_000 })
  try {
    const prepared = await prepare(run, sql)
    if (prepared === null) return { outcome: 'stopped' }
    const { facts, table, archivedValues, archiveSeconds } = prepared
    const reverting = toRevert(facts, full)
    const dropped = columnIsOurs(facts) ? await dependents(sql, rollout) : []
    run.step('taking back what expand and finalize did')
    const began = performance.now()
    if (reverting.length > 0) await revert(run, sql, reverting)
    await run.reached('rollback.told')
    const revertSeconds = (performance.now() - began) / 1000
    const clears = mustClear(facts)
    const concluded = await conclude(run, table, { clears, complete: !clears })
    if (concluded === null) return { outcome: 'stopped' }
    const reverted = reverting.map((change) => change.object)
    return {
      outcome: 'succeeded',
      result: { archivedValues, archiveSeconds, reverted, revertSeconds, droppedWithColumn: dropped, ...concluded },
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
