import { rehearsalRefusal } from '../citus/citusFaults.ts'
import { citusTableNames } from '../rollout/inspectTable.ts'
import { RehearsalParameters } from '../contract/index.ts'
import { formatCount, formatQuantity } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { structureHash } from '../rollback/structureHash.ts'
import {
  cleanUp,
  copyNotes,
  rehearsalRollout,
  copyRows,
  copyStatements,
  hasPublicationForAllTables,
} from './sampleCopy.ts'
import { createRehearsalSteps, RehearsalStopped } from './rehearsalSteps.ts'
import { assertRollbackPlan } from './assertRollbackPlan.ts'
import { createSandbox } from './sandbox.ts'
import { countOrEstimateRows } from '../backfill/tableRowCount.ts'
import { runDdl } from '../ddl/transactional.ts'

const sampleSize = (facts: Pick<RolloutFacts, 'rollout'>, parameters: Record<string, unknown>): number =>
  RehearsalParameters.parse(parameters).sample ?? facts.rollout.file.rehearsal.sample

/** Runs the whole rollout and its rollbacks on a copied sample of the table, with the same code as on the table. */
export function createRehearsal({ environment }: { readonly environment: string }): OperationDefinition<'rehearsal'> {
  return {
    kind: 'rehearsal',
    refusals: ({ faults, table, rollout, openOperations: open }) => [
      ...faults,
      ...(table?.citus ? [rehearsalRefusal(table.citus, citusTableNames(rollout.table))] : []),
      ...open
        .filter((operation) => operation.kind === 'rehearsal')
        .map((operation) => `Rehearsal ${operation.id} is ${operation.state}. Wait for it, or cancel it.`),
    ],
    preview({ table, facts }, parameters) {
      const sample = sampleSize(facts, parameters)
      const rows = table.estimatedRows === null ? sample : Math.min(sample, Math.round(table.estimatedRows))
      const last = facts.succeededOperations.findLast((operation) => operation.kind === 'rehearsal')
      const lastDurationMs =
        last?.startedAt && last.endedAt ? Date.parse(last.endedAt) - Date.parse(last.startedAt) : null
      return Promise.resolve({
        rows: 0,
        estimatedWalBytes: null,
        estimatedSeconds: lastDurationMs === null ? null : lastDurationMs / 1000,
        estimateBasis: lastDurationMs === null ? null : `rehearsal ${last!.id}`,
        statements: copyStatements(rehearsalRollout(facts.rollout, 0n), facts, false),
        notes: [
          `Copies about ${formatQuantity(rows, 'row')} into a separate schema, which is dropped afterward.`,
          'Only reads from the table itself: the sample, a row count, and query plans.',
          ...copyNotes(facts, table, false),
        ],
      })
    },
    run: (run) => runRehearsal(run, environment),
  }
}

/** A rehearsal that was paused or whose agent died starts over. */
async function runRehearsal(run: RunContext, environment: string): Promise<RunOutcome> {
  const { rollout, database, operation } = run
  const sql = database.engine({ purpose: 'rehearsal', statementTimeoutMs: 120_000 })
  try {
    await cleanUp(run, sql)
    await run.failpoint('rehearsal.begun')
    if (run.directive() !== 'continue') return { outcome: 'stopped' }
    const facts = await run.readFacts()
    const table = requireTable(facts)
    const sandbox = createSandbox(run, rehearsalRollout(rollout, operation.id), environment)
    const rehearsalSteps = createRehearsalSteps(run, sql, sandbox)
    const unlogged = await hasPublicationForAllTables(sql)
    run.setStep('counting the rows')
    const tableRows = await countOrEstimateRows(sql, rollout, table)
    await rehearsalSteps.runStep('copy', async () => {
      const sample = sampleSize(facts, operation.parameters)
      await runDdl(run, sql, { description: 'creating the copy', steps: copyStatements(sandbox.copy, facts, unlogged) })
      if (!(await copyRows(run, sql, { copy: sandbox.copy, table, tableRows, sample }))) throw new RehearsalStopped()
      await sql.unsafe(`analyze /* sti */ ${sandbox.copy.table.sql}`)
      return `sampled about ${formatCount(Math.min(sample, tableRows))} of ${formatQuantity(tableRows, 'row')}`
    })
    await run.failpoint('rehearsal.copied')
    await rehearsalSteps.runStep('plan', () => assertRollbackPlan(run, sql, sandbox.copy, table, tableRows))
    const { steps, scopes, content } = await rehearsalSteps.rollOutAndBack(tableRows)
    const result = {
      sampleRows: content.rows,
      tableRows,
      structure: structureHash(rollout, table),
      checksum: content.checksum,
      steps,
      scopes,
      notes: copyNotes(facts, table, unlogged),
    }
    await run.recordEvent('rehearsal', 'each rollback restored the copy to its original state', { after: result })
    return { outcome: 'succeeded', result }
  } catch (error) {
    if (!(error instanceof RehearsalStopped)) throw error
    if (run.directive() === 'continue')
      throw new OperationFailedError(
        'rehearsal-time',
        'The rehearsal took longer than 30 minutes. Check its events for what it waited for, or rehearse with a smaller --sample.',
      )
    return { outcome: 'stopped' }
  } finally {
    try {
      // After a lost claim, the next agent starts with this cleanup.
      if (run.directive() !== 'lost') await cleanUp(run, sql)
      await run.failpoint('rehearsal.cleaned')
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
}
