import { RehearsalParameters } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { demandTable } from '../engine/table.ts'
import { structureHash } from '../rollback/structure.ts'
import { cleanUp, copyNotes, copyOf, copyRows, copyStatements, publishesAll } from './copy.ts'
import { createPlay, Stopped } from './play.ts'
import { planned } from './planned.ts'
import { createStage } from './stage.ts'
import { rowsOf } from '../backfill/total.ts'
import { runDdl } from '../engine/ddl.ts'

const sampleOf = (facts: Pick<Facts, 'rollout'>, parameters: Record<string, unknown>): number =>
  RehearsalParameters.parse(parameters).sample ?? facts.rollout.file.rehearsal.sample

/** The whole rollout and its rollbacks on a sample of the table that is copied aside, with the engine's own code. */
export function createRehearsal({ environment }: { readonly environment: string }): Kind {
  return {
    kind: 'rehearsal',
    writesTable: false,
    refusals: ({ faults, open }) => [
      ...faults,
      ...open
        .filter((one) => one.kind === 'rehearsal')
        .map((one) => `Rehearsal ${one.id} is ${one.state}: wait for it, or cancel it.`),
    ],
    preview({ table, facts }, parameters) {
      const sample = sampleOf(facts, parameters)
      const rows = table.estimatedRows === null ? sample : Math.min(sample, Math.round(table.estimatedRows))
      const last = facts.succeeded.findLast((one) => one.kind === 'rehearsal')
      const took = last?.startedAt && last.endedAt ? Date.parse(last.endedAt) - Date.parse(last.startedAt) : null
      return Promise.resolve({
        rows: 0,
        estimatedWalBytes: null,
        estimatedSeconds: took === null ? null : took / 1000,
        estimateBasis: took === null ? null : `rehearsal ${last!.id}`,
        statements: copyStatements(copyOf(facts.rollout, 0n), facts, false),
        notes: [
          `Copies about ${rows.toLocaleString('en')} rows into a schema of its own, which is dropped afterwards.`,
          'Of the table itself it only reads: that sample, a count and plans.',
          ...copyNotes(facts, table, false),
        ],
      })
    },
    run: (run) => rehearse(run, environment),
  }
}

/** A rehearsal that was paused, or whose agent died, begins anew. */
async function rehearse(run: Run, environment: string): Promise<Outcome> {
  const { rollout, database, operation } = run
  const sql = database.engine({ purpose: 'rehearsal', searchPath: rollout.searchPath, statementTimeoutMs: 120_000 })
  try {
    await cleanUp(run, sql)
    await run.reached('rehearsal.begun')
    if (run.asked() !== 'go-on') return { outcome: 'stopped' }
    const facts = await run.facts()
    const table = demandTable(facts)
    const stage = createStage(run, copyOf(rollout, operation.id), environment)
    const play = createPlay(run, sql, stage)
    const unlogged = await publishesAll(sql)
    run.step('counting the rows')
    const tableRows = await rowsOf(sql, rollout, table)
    await play.act('copy', async () => {
      const sample = sampleOf(facts, operation.parameters)
      await runDdl(run, sql, { what: 'making the copy', steps: copyStatements(stage.copy, facts, unlogged) })
      if (!(await copyRows(run, sql, { copy: stage.copy, table, tableRows, sample }))) throw new Stopped()
      await sql.unsafe(`analyze /* sti */ ${stage.copy.table.sql}`)
      return `about ${sample.toLocaleString('en')} of ${tableRows.toLocaleString('en')} rows were asked for`
    })
    await run.reached('rehearsal.copied')
    await play.act('plan', () => planned(run, sql, stage.copy, table, tableRows))
    const { steps, scopes, content } = await play.rollOutAndBack(tableRows)
    const result = {
      sampleRows: content.rows,
      tableRows,
      structure: structureHash(rollout, table),
      checksum: content.checksum,
      steps,
      scopes,
      notes: copyNotes(facts, table, unlogged),
    }
    await run.event('rehearsal', 'the copy was what it was before, after each rollback', { after: result })
    return { outcome: 'succeeded', result }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    if (run.asked() === 'go-on')
      throw new OperationFailure(
        'rehearsal-time',
        'It took longer than 30 minutes: rehearse with a smaller --sample, and look at its events for what it waited for.',
      )
    return { outcome: 'stopped' }
  } finally {
    try {
      // Whoever lost the claim leaves it to the next one, which begins with this.
      if (run.asked() !== 'lost') await cleanUp(run, sql)
      await run.reached('rehearsal.cleaned')
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
}
