import type { RehearsalResult, RehearsedScope } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import { contentOf, type Content } from '../engine/content.ts'
import { faultOf, OperationFailure } from '../engine/errors.ts'
import type { Kind, Run } from '../engine/kind.ts'
import { ours } from '../engine/ours.ts'
import { readStructure, structureDifferences, type Structure } from '../engine/structure.ts'
import { demandTable } from '../engine/table.ts'
import { backfill } from '../backfill/kind.ts'
import { expand } from '../expand/expand.ts'
import { finalize } from '../finalize/finalize.ts'
import { rollback as dataRollback } from '../rollback/rollback.ts'
import { systemRollback } from '../rollback/system.ts'
import type { Stage } from './stage.ts'

type Steps = RehearsalResult['steps']

/** It was asked to stop, or has run for too long. */
export class Stopped extends Error {}

export interface Play {
  /** One act, timed; what it answers is its detail. */
  act(name: string, work: () => Promise<string>): Promise<void>
  /** Expand, backfill and data rollback; then all of it with finalize and the system rollback. */
  rollOutAndBack(tableRows: number): Promise<{ steps: Steps; scopes: RehearsedScope[]; content: Content }>
}

/** Copy, plan, and twice expand to rollback. */
const ACTS = 11

export function createPlay(run: Run, sql: Sql, stage: Stage): Play {
  const steps: Steps = []
  let results: Record<string, unknown> = {}

  const act: Play['act'] = async (step, work) => {
    if (run.asked() !== 'go-on' || stage.overdue()) throw new Stopped()
    run.step(step)
    const began = performance.now()
    const detail = await work()
    steps.push({ step, seconds: (performance.now() - began) / 1000, detail })
    progress(run, steps.length)
  }
  /** Runs a kind of operation on the copy. */
  const perform = async (kind: Kind, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
    const outcome = await kind.run(stage.actOf(kind.kind, parameters))
    if (outcome.outcome === 'stopped') throw new Stopped()
    return (results = outcome.result)
  }
  /** The next operation on the same table finds no lane of the one before. */
  const freshLanes = (): Promise<unknown> =>
    run.database.state`delete from sti.lane where operation_id = ${run.operation.id}`
  const seen = async (): Promise<{ structure: Structure; content: Content }> => {
    const table = demandTable(await stage.facts())
    const content = await contentOf(sql, stage.copy.table, table, stage.copy.discriminator.column)
    if (content === null)
      throw new OperationFailure(
        'rehearsal-time',
        'Summing the copy took longer than two minutes: rehearse with a smaller --sample.',
      )
    return { structure: await readStructure(sql, stage.copy.table.sql), content }
  }

  const rollOut = async (which: string): Promise<void> => {
    await act(`expand ${which}`, async () => {
      await perform(expand)
      return 'column, function and trigger'
    })
    await act(`backfill ${which}`, async () => {
      await freshLanes()
      const { writtenRows, failedRows } = await perform(backfill, { checkpointInterval: 100 })
      return `${String(writtenRows)} rows written, ${String(failedRows)} failed; ${await counted(sql, stage, Number(failedRows))}`
    })
  }
  const rollBack = async (kind: Kind, scope: 'data' | 'system', before: Awaited<ReturnType<typeof seen>>) => {
    await act(`rollback ${scope}`, async () => {
      await freshLanes()
      await perform(kind, { scope, full: true, confirm: stage.copy.name })
      return `${String((results['reverted'] as string[]).length)} changes taken back`
    })
    await act(`compare ${scope}`, async () => {
      const after = await seen()
      const differences = structureDifferences(before.structure, after.structure)
      if (differences.length > 0 || after.content.checksum !== before.content.checksum) {
        throw new OperationFailure(
          'rehearsal',
          `After the rollback of the ${scope} the copy was not what it was before: ${[...differences, `checksum ${after.content.checksum} of ${after.content.rows} rows, before ${before.content.checksum} of ${before.content.rows}`].join('; ')}. Report this before you rely on it.`,
        )
      }
      return `structure and checksum ${after.content.checksum} of ${after.content.rows} rows as before expand`
    })
    return { ...results }
  }

  return {
    act,
    async rollOutAndBack(tableRows) {
      const before = await seen()
      await rollOut('for data')
      const data = await rollBack(dataRollback, 'data', before)
      await run.reached('rehearsal.data')
      await rollOut('for system')
      await act('finalize', async () => {
        stage.verify()
        await perform(finalize)
        return 'index, constraint and the way back of the trigger'
      })
      const system = await rollBack(systemRollback, 'system', before)
      await run.reached('rehearsal.system')
      const of = (scope: 'data' | 'system', took: Record<string, unknown>): RehearsedScope =>
        extrapolated(scope, took, before.content.rows, tableRows)
      return { steps, scopes: [of('data', data), of('system', system)], content: before.content }
    },
  }
}

/** What reads or writes rows grows with the table; the rest does not. */
function extrapolated(
  scope: 'data' | 'system',
  took: Record<string, unknown>,
  sampleRows: number,
  tableRows: number,
): RehearsedScope {
  const [archive, revert, clear] = ['archiveSeconds', 'revertSeconds', 'clearSeconds'].map((key) => Number(took[key]))
  const byRow = archive! + clear!
  const times = sampleRows > 0 ? Math.max(1, tableRows / sampleRows) : 1
  return {
    scope,
    seconds: byRow + revert!,
    rowsPerSecond: sampleRows > 0 && byRow > 0 ? sampleRows / byRow : null,
    estimatedSeconds: byRow * times + revert!,
  }
}

/** Rows of the copy whose type is not what their legacy columns say, as PostgreSQL counts them. */
async function counted(sql: Sql, { copy }: Stage, failedRows: number): Promise<string> {
  try {
    const answer = await sql.unsafe<{ rows: number; wrong: number }[]>(
      ours(`select count(*)::int as rows, count(*) filter (where t.${copy.discriminator.sql} is distinct from ${copy.derive('t')})::int as wrong
        from ${copy.table.sql} as t`),
    )
    const { rows, wrong } = onlyRow(answer)
    if (wrong <= failedRows) return `${rows} rows counted, ${wrong === 0 ? 'none' : wrong} with a wrong type`
    throw new OperationFailure(
      'rehearsal',
      `${wrong} of ${rows} rows of the copy have a wrong type after the backfill. Report this.`,
    )
  } catch (error) {
    if (faultOf(error) !== 'row') throw error
    return 'not counted: the expression raises for some row'
  }
}

function progress(run: Run, acts: number): void {
  run.progress({
    processedRows: acts,
    writtenRows: 0,
    failedRows: 0,
    totalRows: ACTS,
    unit: 'steps',
    ratio: Math.min(1, Math.floor((acts * 100) / ACTS) / 100),
    rowsPerSecond: null,
    remainingSeconds: null,
    batchRows: null,
    batchSeconds: null,
    throttled: null,
    retries: {},
  })
}
