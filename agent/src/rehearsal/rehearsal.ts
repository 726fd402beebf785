import { RehearsalParameters } from '../contract/index.ts'
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

/** The whole rollout and its rollbacks on a sample of the table that is copied aside, with the engine's own code. */
export function createRehearsal({ environment }: { readonly environment: string }): OperationDefinition<'rehearsal'> {
  return {
    kind: 'rehearsal',
    refusals: ({ faults, openOperations: open }) => [
      ...faults,
      ...open
        .filter((one) => one.kind === 'rehearsal')
        .map((one) => `Rehearsal ${one.id} is ${one.state}: wait for it, or cancel it.`),
    ],
    preview({ table, facts }, parameters) {
      const sample = sampleSize(facts, parameters)
      const rows = table.estimatedRows === null ? sample : Math.min(sample, Math.round(table.estimatedRows))
      const last = facts.succeededOperations.findLast((one) => one.kind === 'rehearsal')
      const lastDurationMs =
        last?.startedAt && last.endedAt ? Date.parse(last.endedAt) - Date.parse(last.startedAt) : null
      return Promise.resolve({
        rows: 0,
        estimatedWalBytes: null,
        estimatedSeconds: lastDurationMs === null ? null : lastDurationMs / 1000,
        estimateBasis: lastDurationMs === null ? null : `rehearsal ${last!.id}`,
        statements: copyStatements(rehearsalRollout(facts.rollout, 0n), facts, false),
        notes: [
          `Copies about ${rows.toLocaleString('en')} rows into a schema of its own, which is dropped afterwards.`,
          'Of the table itself it only reads: that sample, a count and plans.',
          ...copyNotes(facts, table, false),
        ],
      })
    },
    run: (run) => runRehearsal(run, environment),
  }
}

/** A rehearsal that was paused, or whose agent died, begins anew. */
async function runRehearsal(run: RunContext, environment: string): Promise<RunOutcome> {
  const { rollout, database, operation } = run
  const sql = database.engine({ purpose: 'rehearsal', searchPath: rollout.searchPath, statementTimeoutMs: 120_000 })
  try {
    await cleanUp(run, sql)
    await run.failpoint('rehearsal.begun')
    if (run.directive() !== 'go-on') return { outcome: 'stopped' }
    const facts = await run.readFacts()
    const table = requireTable(facts)
    const sandbox = createSandbox(run, rehearsalRollout(rollout, operation.id), environment)
    const rehearsalSteps = createRehearsalSteps(run, sql, sandbox)
    const unlogged = await hasPublicationForAllTables(sql)
    run.setStep('counting the rows')
    const tableRows = await countOrEstimateRows(sql, rollout, table)
    await rehearsalSteps.act('copy', async () => {
      const sample = sampleSize(facts, operation.parameters)
      await runDdl(run, sql, { description: 'making the copy', steps: copyStatements(sandbox.copy, facts, unlogged) })
      if (!(await copyRows(run, sql, { copy: sandbox.copy, table, tableRows, sample }))) throw new RehearsalStopped()
      await sql.unsafe(`analyze /* sti */ ${sandbox.copy.table.sql}`)
      return `about ${sample.toLocaleString('en')} of ${tableRows.toLocaleString('en')} rows were asked for`
    })
    await run.failpoint('rehearsal.copied')
    await rehearsalSteps.act('plan', () => assertRollbackPlan(run, sql, sandbox.copy, table, tableRows))
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
    await run.recordEvent('rehearsal', 'the copy was what it was before, after each rollback', { after: result })
    return { outcome: 'succeeded', result }
  } catch (error) {
    if (!(error instanceof RehearsalStopped)) throw error
    if (run.directive() === 'go-on')
      throw new OperationFailedError(
        'rehearsal-time',
        'It took longer than 30 minutes: rehearse with a smaller --sample, and look at its events for what it waited for.',
      )
    return { outcome: 'stopped' }
  } finally {
    try {
      // Whoever lost the claim leaves it to the next one, which begins with this.
      if (run.directive() !== 'lost') await cleanUp(run, sql)
      await run.failpoint('rehearsal.cleaned')
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
}
