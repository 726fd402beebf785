import { RollbackParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunContext, RunOutcome, ScopeRollback } from '../kind/kind.ts'
import { cachedPlanNotes } from '../statements/cachedPlans.ts'
import { archiveNotes } from './archivePreview.ts'
import { finishRollback } from './finishRollback.ts'
import { readColumnDependents } from './revertPlan.ts'
import { prepareRollback } from './prepareRollback.ts'
import { hasNothingToRollBack, rollbackRefusals } from './rollbackRefusals.ts'
import { columnCreatedBySti, mustClearColumn, revertChanges, changesToRevert } from './revertChanges.ts'

/** The data rollback. A rollback of only the flag needs no operation (http/acceptOperation.ts). */
export const dataRollback: ScopeRollback = {
  kind: 'rollback',
  refusals: rollbackRefusals,
  nothingToRollBack: hasNothingToRollBack,
  async preview({ database, rollout, table, facts }, parameters) {
    const { full } = RollbackParameters.parse(parameters)
    const hasColumn = table.discriminator !== null
    const clears = mustClearColumn(facts)
    const rows = Math.round(table.estimatedRows ?? 0)
    return {
      rows: clears ? rows : 0,
      estimatedWalBytes: clears ? rows * 400 : 65_536,
      statements: changesToRevert(facts, full).map((change) => change.inverse),
      notes: [
        ...(facts.flag.enabled
          ? ['Turns the flag off first and waits until every client has received the change.']
          : []),
        ...columnNotes(facts),
        ...(hasColumn && columnCreatedBySti(facts)
          ? await cachedPlanNotes(database.state, rollout, table, 'the column is dropped')
          : []),
        ...(await archiveNotes(database, facts)),
        ...(hasColumn && columnCreatedBySti(facts)
          ? (await readColumnDependents(database.state, rollout)).map(droppedDependentNote)
          : []),
        'Does not change the legacy columns.',
        ...(clears ? facts.undeclaredTriggers : []),
      ],
    }
  },
  run: runDataRollback,
}

const droppedDependentNote = (name: string): string => `Not created by STI, but dropped with the column: ${name}.`

function columnNotes(facts: RolloutFacts): string[] {
  const { rollout, table } = facts
  const column = rollout.discriminator.sql
  if (table?.discriminator == null) return [`Column ${column} does not exist, so nothing is dropped or cleared.`]
  if (!columnCreatedBySti(facts) && !mustClearColumn(facts))
    return [`Column ${column} existed before expand and holds no values derived by STI, so it is not changed.`]
  return [
    columnCreatedBySti(facts)
      ? `Drops column ${column}, which is instant. Open sessions that call a function returning rows of the table may fail until they reconnect.`
      : `Clears column ${column} in batches, since it existed before expand.`,
  ]
}

async function runDataRollback(run: RunContext): Promise<RunOutcome> {
  const { rollout, database } = run
  const { full } = RollbackParameters.parse(run.parameters())
  const sql = database.engine({ purpose: 'rollback', statementTimeoutMs: 30_000 })
  try {
    const preparation = await prepareRollback(run, sql)
    if (preparation === null) return { outcome: 'stopped' }
    const { facts, table, archivedValues, archiveSeconds } = preparation
    const changes = changesToRevert(facts, full)
    const droppedDependents = columnCreatedBySti(facts) ? await readColumnDependents(sql, rollout) : []
    run.setStep('reverting expand and finalize')
    const revertStartedAt = performance.now()
    if (changes.length > 0) await revertChanges(run, sql, changes)
    await run.failpoint('rollback.told')
    const revertSeconds = (performance.now() - revertStartedAt) / 1000
    const clears = mustClearColumn(facts)
    const completion = await finishRollback(run, table, { clears, complete: !clears })
    if (completion === null) return { outcome: 'stopped' }
    const reverted = changes.map((change) => change.object)
    return {
      outcome: 'succeeded',
      result: {
        archivedValues,
        archiveSeconds,
        reverted,
        revertSeconds,
        droppedWithColumn: droppedDependents,
        ...completion,
      },
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
