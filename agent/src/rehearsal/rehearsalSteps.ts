import type { RehearsalResult, ScopeRehearsal } from '../contract/index.ts'
import { formatCount, formatQuantity } from '../format/format.ts'
import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { readTableChecksum, type TableChecksum } from '../ddl/tableChecksum.ts'
import { classifyError } from '../database/errors.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { OperationDefinition, RunContext } from '../kind/kind.ts'
import { tagStatement } from '../database/tagStatement.ts'
import { readTableStructure, describeStructureDifferences, type TableStructure } from '../ddl/tableStructure.ts'
import { requireTable } from '../kind/requireTable.ts'
import { backfill } from '../backfill/backfillKind.ts'
import { expand } from '../expand/expand.ts'
import { finalize } from '../finalize/finalize.ts'
import { dataRollback } from '../rollback/dataRollback.ts'
import { systemRollback } from '../rollback/systemRollback.ts'
import type { Sandbox } from './sandbox.ts'

type StepResults = RehearsalResult['steps']

/** Stopped on request, or timed out. */
export class RehearsalStopped extends Error {}

export interface RehearsalSteps {
  /** Runs and times one step; `work` returns its detail. */
  runStep(name: string, work: () => Promise<string>): Promise<void>
  /** Expand, backfill and data rollback; then expand, backfill, finalize and system rollback. */
  rollOutAndBack(tableRows: number): Promise<{ steps: StepResults; scopes: ScopeRehearsal[]; content: TableChecksum }>
}

/** Copy, plan, and both rounds of rollout and rollback. */
const STEP_COUNT = 11

export function createRehearsalSteps(run: RunContext, sql: Sql, sandbox: Sandbox): RehearsalSteps {
  const steps: StepResults = []
  let results: Record<string, unknown> = {}

  const runStep: RehearsalSteps['runStep'] = async (step, work) => {
    if (run.directive() !== 'continue' || sandbox.isOverdue()) throw new RehearsalStopped()
    run.setStep(step)
    const startedAt = performance.now()
    const detail = await work()
    steps.push({ step, seconds: (performance.now() - startedAt) / 1000, detail })
    reportProgress(run, steps.length)
  }
  /** Runs an operation on the copy. */
  const perform = async (
    kind: OperationDefinition,
    parameters: Record<string, unknown> = {},
  ): Promise<Record<string, unknown>> => {
    const outcome = await kind.run(sandbox.runFor(kind.kind, parameters))
    if (outcome.outcome === 'stopped') throw new RehearsalStopped()
    return (results = outcome.result)
  }
  /** The next operation on the copy must not find the lanes of the previous one. */
  const deleteLanes = (): Promise<unknown> =>
    run.database.state`delete from sti.lane where operation_id = ${run.operation.id}`
  const readCopyState = async (): Promise<{ structure: TableStructure; content: TableChecksum }> => {
    const table = requireTable(await sandbox.facts())
    const content = await readTableChecksum(sql, sandbox.copy.table, table, sandbox.copy.discriminator.column)
    if (content === null)
      throw new OperationFailedError(
        'rehearsal-time',
        'The checksum of the copy took longer than 2 minutes. Rehearse with a smaller --sample.',
      )
    return { structure: await readTableStructure(sql, sandbox.copy.table.sql), content }
  }

  const rollOut = async (label: string): Promise<void> => {
    await runStep(`expand ${label}`, async () => {
      await perform(expand)
      return 'column, function, and trigger created'
    })
    await runStep(`backfill ${label}`, async () => {
      await deleteLanes()
      const { writtenRows, failedRows } = await perform(backfill, { checkpointInterval: 100 })
      return `${formatQuantity(Number(writtenRows), 'row')} written, ${formatCount(Number(failedRows))} failed; ${await countWrongTypes(sql, sandbox, Number(failedRows))}`
    })
  }
  const rollBack = async (
    kind: OperationDefinition,
    scope: 'data' | 'system',
    before: Awaited<ReturnType<typeof readCopyState>>,
  ) => {
    await runStep(`rollback ${scope}`, async () => {
      await deleteLanes()
      await perform(kind, { scope, full: true, confirm: sandbox.copy.name })
      return `${formatQuantity((results['reverted'] as string[]).length, 'change')} reverted`
    })
    await runStep(`compare ${scope}`, async () => {
      const after = await readCopyState()
      const differences = describeStructureDifferences(before.structure, after.structure)
      if (differences.length > 0 || after.content.checksum !== before.content.checksum) {
        throw new OperationFailedError(
          'rehearsal',
          `The ${scope} rollback did not restore the copy to its original state: ${[...differences, `checksum ${after.content.checksum} of ${after.content.rows} rows, before ${before.content.checksum} of ${before.content.rows}`].join('; ')}. Report this bug before you rely on a rollback.`,
        )
      }
      return `structure and checksum are as before expand (${after.content.checksum}, ${formatQuantity(after.content.rows, 'row')})`
    })
    return { ...results }
  }

  return {
    runStep,
    async rollOutAndBack(tableRows) {
      const before = await readCopyState()
      await rollOut('for data')
      const data = await rollBack(dataRollback, 'data', before)
      await run.failpoint('rehearsal.data')
      await rollOut('for system')
      await runStep('finalize', async () => {
        sandbox.markVerified()
        await perform(finalize)
        return 'index, constraint, and reverse sync created'
      })
      const system = await rollBack(systemRollback, 'system', before)
      await run.failpoint('rehearsal.system')
      const toScope = (scope: 'data' | 'system', result: Record<string, unknown>): ScopeRehearsal =>
        extrapolateScope(scope, result, before.content.rows, tableRows)
      return { steps, scopes: [toScope('data', data), toScope('system', system)], content: before.content }
    },
  }
}

/** Scales the time spent on rows to the size of the table; the rest does not grow. */
function extrapolateScope(
  scope: 'data' | 'system',
  result: Record<string, unknown>,
  sampleRows: number,
  tableRows: number,
): ScopeRehearsal {
  const [archive, revert, clear] = ['archiveSeconds', 'revertSeconds', 'clearSeconds'].map((key) => Number(result[key]))
  const rowSeconds = archive! + clear!
  const scale = sampleRows > 0 ? Math.max(1, tableRows / sampleRows) : 1
  return {
    scope,
    seconds: rowSeconds + revert!,
    rowsPerSecond: sampleRows > 0 && rowSeconds > 0 ? sampleRows / rowSeconds : null,
    estimatedSeconds: rowSeconds * scale + revert!,
  }
}

/** Counts the rows of the copy whose type does not match their legacy columns. */
async function countWrongTypes(sql: Sql, { copy }: Sandbox, failedRows: number): Promise<string> {
  try {
    const answer = await sql.unsafe<{ rows: number; wrong: number }[]>(
      tagStatement(`select count(*)::int as rows, count(*) filter (where t.${copy.discriminator.sql} is distinct from ${copy.derive('t')})::int as wrong
        from ${copy.table.sql} as t`),
    )
    const { rows, wrong } = onlyRow(answer)
    if (wrong <= failedRows) return `${formatCount(wrong)} of ${formatQuantity(rows, 'row')} with a wrong type`
    throw new OperationFailedError(
      'rehearsal',
      `${formatCount(wrong)} of ${formatQuantity(rows, 'row')} in the copy have a wrong type after the backfill. Report this bug.`,
    )
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    return 'wrong types not counted, since the expression raises an error on a row'
  }
}

function reportProgress(run: RunContext, finishedSteps: number): void {
  run.reportProgress({
    processedRows: finishedSteps,
    writtenRows: 0,
    failedRows: 0,
    totalRows: STEP_COUNT,
    unit: 'steps',
    ratio: Math.min(1, Math.floor((finishedSteps * 100) / STEP_COUNT) / 100),
    rowsPerSecond: null,
    remainingSeconds: null,
    batchRows: null,
    batchSeconds: null,
    throttled: null,
    retries: {},
  })
}
