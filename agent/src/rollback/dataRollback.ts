import { RollbackParameters } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { finishRollback } from './finishRollback.ts'
import { readColumnDependents } from './revertPlan.ts'
import { prepareRollback } from './prepareRollback.ts'
import { rollbackRefusals } from './rollbackRefusals.ts'
import { columnCreatedBySti, mustClearColumn, revertChanges, changesToRevert } from './revertChanges.ts'

/** The rollback of the data. (The flag's own rollback waits for nothing and is not run from here: http/accept.ts.) */
export const dataRollback: OperationDefinition<'rollback'> = {
  kind: 'rollback',
  refusals: rollbackRefusals,
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
        ...(facts.flag.enabled ? ['Turns the flag off first, and waits until every client has seen it.'] : []),
        ...columnNotes(facts),
        ...(hasColumn && columnCreatedBySti(facts)
          ? (await readColumnDependents(database.state, rollout)).map(droppedDependentNote)
          : []),
        'Legacy columns are not touched.',
        ...(clears ? facts.undeclaredTriggers : []),
      ],
    }
  },
  run: runDataRollback,
}

const droppedDependentNote = (name: string): string => `Goes with the column, and is not ours: ${name}.`

function columnNotes(facts: RolloutFacts): string[] {
  const { rollout, table, activePrefill: prefilled, validation } = facts
  const column = rollout.discriminator.sql
  if (table?.discriminator == null) return [`Column ${column} is not there: nothing is dropped and nothing cleared.`]
  if (!columnCreatedBySti(facts) && !mustClearColumn(facts))
    return [`Column ${column} was there before, and what it holds was not derived by us: it stays as it is.`]
  const differing = validation?.checks.find((one) => one.check === 'type-matches-legacy')?.discrepancies ?? null
  return [
    columnCreatedBySti(facts)
      ? `Drops column ${column}, which is instant. A session that was open before and calls a function that returns rows of the table may fail until it connects anew.`
      : `Clears column ${column} in batches: it was there before.`,
    prefilled !== null
      ? `Rows that hold ${prefilled.type}, the constant of the prefill, are not archived: nobody wrote it there.`
      : differing === null
        ? 'No validation has counted the values that legacy columns cannot express; whatever there are, they are archived.'
        : `${differing} values that legacy columns cannot express are archived (as the last validation counted).`,
  ]
}

async function runDataRollback(run: RunContext): Promise<RunOutcome> {
  const { rollout, database } = run
  const { full } = RollbackParameters.parse(run.parameters())
  const sql = database.engine({ purpose: 'rollback', searchPath: rollout.searchPath, statementTimeoutMs: 30_000 })
  try {
    const preparation = await prepareRollback(run, sql)
    if (preparation === null) return { outcome: 'stopped' }
    const { facts, table, archivedValues, archiveSeconds } = preparation
    const changes = changesToRevert(facts, full)
    const droppedDependents = columnCreatedBySti(facts) ? await readColumnDependents(sql, rollout) : []
    run.setStep('taking back what expand and finalize did')
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
