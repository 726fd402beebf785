import { RollbackParameters } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import { createGoOn } from '../engine/goOn.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import type { Walked } from '../engine/range.ts'
import { demandTable } from '../engine/table.ts'
import { archiveInexpressible } from './archive.ts'
import { clearColumn } from './clear.ts'
import { flagSeenOff, staleClients } from './clients.ts'
import { estimateOf } from './estimate.ts'
import { columnIsOurs, revert, toRevert } from './revert.ts'

/** The rollback of the data. (The flag's own rollback waits for nothing and is not run from here: http/accept.ts.) */
export const rollback: Kind = {
  kind: 'rollback',
  writesTable: true,
  refusals(facts) {
    return [
      // A fault of the file must not close the way back.
      ...facts.blockers,
      ...(facts.table !== null && facts.table.discriminator === null && facts.changes.length === 0
        ? ['There is nothing to take back.']
        : []),
      ...staleClients(facts),
    ]
  },
  async preview({ table, facts }, parameters) {
    const { full } = RollbackParameters.parse(parameters)
    const there = table.discriminator !== null
    const clears = there && !columnIsOurs(facts)
    const rows = Math.round(table.estimatedRows ?? 0)
    const { seconds, basis } = estimateOf(facts, 'data')
    return {
      rows: clears ? rows : 0,
      ...{ estimatedSeconds: seconds, estimateBasis: basis },
      estimatedWalBytes: clears ? rows * 400 : 65_536,
      statements: toRevert(facts, full).map((change) => change.inverse),
      notes: [
        ...(facts.flag.enabled ? ['Turns the flag off first, and waits until every client has seen it.'] : []),
        ...columnNotes(facts),
        'Legacy columns are not touched.',
        ...(clears ? facts.undeclaredTriggers : []),
      ],
    }
  },
  run: runDataRollback,
}

function columnNotes(facts: Facts): string[] {
  const { rollout, table, prefilled, validation } = facts
  const column = rollout.discriminator.sql
  if (table?.discriminator == null) return [`Column ${column} is not there: nothing is dropped and nothing cleared.`]
  const differing = validation?.checks.find((one) => one.check === 'type-matches-legacy')?.discrepancies ?? null
  return [
    columnIsOurs(facts)
      ? `Drops column ${column}, which is instant.`
      : `Clears column ${column} in batches: it was there before.`,
    prefilled !== null
      ? `Rows that hold ${prefilled.type}, the constant of the prefill, are not archived: nobody wrote it there.`
      : differing === null
        ? 'No validation has counted the values that legacy columns cannot express; whatever there are, they are archived.'
        : `${differing} values that legacy columns cannot express are archived (as the last validation counted).`,
  ]
}

async function runDataRollback(run: Run): Promise<Outcome> {
  const { rollout, database, operation } = run
  const { full } = RollbackParameters.parse(run.parameters())
  if (!(await flagSeenOff(run))) return { outcome: 'stopped' }
  await run.reached('rollback.seen-off')
  const facts = await run.facts()
  const table = demandTable(facts)
  const walked: Walked = { table: rollout.table, key: table.key }
  const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, statementTimeoutMs: 30_000 })
  let step = 'archiving what legacy columns cannot express'
  const goOn = createGoOn(run, (wait) => run.step(wait === null ? step : `waits: ${wait.sentence}`))
  const archiving = async (): Promise<boolean> => {
    await run.reached('rollback.archive')
    return await goOn()
  }
  try {
    const archived =
      table.discriminator === null
        ? 0
        : await archiveInexpressible({
            sql,
            rollout,
            walked,
            operationId: operation.id,
            goOn: archiving,
            prefilled: facts.prefilled,
          })
    if (archived === null) return { outcome: 'stopped' }
    await run.reached('rollback.archived')
    const reverting = toRevert(facts, full)
    run.step('taking back what expand and finalize did')
    if (reverting.length > 0) await revert(run, sql, reverting)
    await run.reached('rollback.told')
    step = 'clearing the column'
    const clears = !columnIsOurs(facts) && table.discriminator !== null
    const cleared = clears ? await clearColumn(run, table) : 0
    if (cleared === null) return { outcome: 'stopped' }
    await run.reached('rollback.cleared')
    await database.state`
      update sti.failed_row set recovered_at = clock_timestamp() where rollout = ${rollout.name} and recovered_at is null`
    await run.reached('rollback.settled')
    const reverted = reverting.map((change) => change.object)
    return { outcome: 'succeeded', result: { archivedValues: archived, clearedRows: cleared, reverted } }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
